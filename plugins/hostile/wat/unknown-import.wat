;; A component that imports what no host has.
(component
  (import "evil:thing/door@1.0.0" (instance $evil (export "open" (func))))
  (core func $open (canon lower (func $evil "open")))
  (core module $m
    (import "evil" "open" (func $open))
    (func (export "run") (result i32) (call $open) (i32.const 0)))
  (core instance $i (instantiate $m (with "evil" (instance (export "open" (func $open))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $exports)))
