;; Makes 200,000 pollables (of the clock) and keeps them all: a handle and a resource of the host for each. With an argument it
;; makes 100 only. Succeeds when it got all of them.
(component
  (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $outer))
    (export "pollable" (type $local (eq $outer)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $local))))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-arguments" (func (result (list string))))))
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
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $arguments
    (canon lower (func $environment "get-arguments") (memory $memory "memory") (realloc (func $memory "realloc"))))
  (core module $m
    (import "memory" "memory" (memory 1))
    (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "host" "arguments" (func $arguments (param i32)))
    (func (export "run") (result i32)
      (local $left i32)
      (call $arguments (i32.const 0))
      ;; The list is a pointer and a length; the first argument is the name of the program.
      (local.set $left
        (select (i32.const 100) (i32.const 200000) (i32.gt_u (i32.load (i32.const 4)) (i32.const 1))))
      (loop $more
        (drop (call $subscribe (i64.const 1)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $more (local.get $left)))
      (i32.const 0)))
  (core instance $i (instantiate $m
    (with "memory" (instance $memory))
    (with "host" (instance (export "subscribe" (func $subscribe)) (export "arguments" (func $arguments))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $exports)))
