;; Grows a table by 100,000 elements at a time to 5,000,000. Exits with 0 when it got there, else with 1.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (table $table 1 funcref)
  (func (export "_start")
    (loop $more
      (if (i32.lt_u (table.size $table) (i32.const 5000000))
        (then
          (if (i32.eq (table.grow $table (ref.null func) (i32.const 100000)) (i32.const -1))
            (then (call $proc_exit (i32.const 1))))
          (br $more))))))
