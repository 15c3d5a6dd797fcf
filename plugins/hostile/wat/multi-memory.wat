;; One core module with two memories (the multi-memory proposal), each growing to 1,024 pages (64 MiB). Exits with 0 when both got
;; there, else with 1. A host that does not know the proposal refuses to load it.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory $first (export "memory") 1)
  (memory $second 1)
  (func (export "_start")
    (loop $more
      (if (i32.lt_u (memory.size $first) (i32.const 1024))
        (then (if (i32.eq (memory.grow $first (i32.const 1)) (i32.const -1)) (then (call $proc_exit (i32.const 1)))) (br $more)))
      (if (i32.lt_u (memory.size $second) (i32.const 1024))
        (then (if (i32.eq (memory.grow $second (i32.const 1)) (i32.const -1)) (then (call $proc_exit (i32.const 1)))) (br $more))))))
