;; A component that imports a WASI interface of a version that this host does not have.
(component
  (import "wasi:random/random@0.9.0" (instance $random (export "get-random-u64" (func (result u64)))))
  (core func $get (canon lower (func $random "get-random-u64")))
  (core module $m
    (import "random" "get" (func $get (result i64)))
    (func (export "run") (result i32) (drop (call $get)) (i32.const 0)))
  (core instance $i (instantiate $m (with "random" (instance (export "get" (func $get))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $exports)))
