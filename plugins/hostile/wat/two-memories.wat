;; Two core modules, each with a memory of its own that grows to 1,024 pages (64 MiB), one page at a time. Succeeds when both got
;; there; a cap for each memory alone does not stop it, a cap for their sum does.
(component
  (core module $grower
    (memory 1)
    (func (export "grow") (result i32)
      (loop $more
        (if (i32.ge_u (memory.size) (i32.const 1024)) (then (return (i32.const 0))))
        (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
      (i32.const 1)))
  (core instance $first (instantiate $grower))
  (core instance $second (instantiate $grower))
  (core module $both
    (import "first" "grow" (func $first (result i32)))
    (import "second" "grow" (func $second (result i32)))
    (func (export "run") (result i32) (i32.or (call $first) (call $second))))
  (core instance $i (instantiate $both (with "first" (instance $first)) (with "second" (instance $second))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $exports)))
