;; Makes 2,000,000 handles of a resource type of its own and keeps them all: the table in which they stand is the host's. With an
;; argument it makes 100 only. Succeeds when it got all of them.
(component
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-arguments" (func (result (list string))))))
  (type $thing (resource (rep i32)))
  (core module $arena
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    ;; Gives memory and never takes it back.
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $start i32)
      (local.set $start (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $start) (local.get 3)))
      (local.get $start)))
  (core instance $memory (instantiate $arena))
  (core func $new (canon resource.new $thing))
  (core func $arguments
    (canon lower (func $environment "get-arguments") (memory $memory "memory") (realloc (func $memory "realloc"))))
  (core module $m
    (import "memory" "memory" (memory 1))
    (import "thing" "new" (func $new (param i32) (result i32)))
    (import "host" "arguments" (func $arguments (param i32)))
    (func (export "run") (result i32)
      (local $left i32)
      (call $arguments (i32.const 0))
      ;; The list is a pointer and a length; the first argument is the name of the program.
      (local.set $left
        (select (i32.const 100) (i32.const 2000000) (i32.gt_u (i32.load (i32.const 4)) (i32.const 1))))
      (loop $more
        (drop (call $new (local.get $left)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $more (local.get $left)))
      (i32.const 0)))
  (core instance $i (instantiate $m
    (with "memory" (instance $memory))
    (with "thing" (instance (export "new" (func $new))))
    (with "host" (instance (export "arguments" (func $arguments))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $exports)))
