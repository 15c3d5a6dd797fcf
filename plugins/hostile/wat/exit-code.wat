;; Exits with 7, as WASI 0.1 lets a program say. The usual adapter to WASI 0.2 makes 1 of it.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call $proc_exit (i32.const 7))))
