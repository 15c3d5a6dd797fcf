;; Prints the bits of nine NaNs that machines make in different ways, 16 hexadecimal digits each, one a line: where NaNs are
;; canonical, all are 7ff8000000000000 (or, for the last four, 000000007fc00000).
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "0123456789abcdef")
  (global $at (mut i32) (i32.const 1024))

  (func $print (param $bits i64)
    (local $shift i64)
    (local.set $shift (i64.const 64))
    (loop $digit
      (local.set $shift (i64.sub (local.get $shift) (i64.const 4)))
      (call $put
        (i32.load8_u
          (i32.add
            (i32.const 32)
            (i32.wrap_i64 (i64.and (i64.shr_u (local.get $bits) (local.get $shift)) (i64.const 15))))))
      (br_if $digit (i64.ne (local.get $shift) (i64.const 0))))
    (call $put (i32.const 10)))

  (func $put (param $byte i32)
    (i32.store8 (global.get $at) (local.get $byte))
    (global.set $at (i32.add (global.get $at) (i32.const 1))))

  (func $f64 (param $number f64) (call $print (i64.reinterpret_f64 (local.get $number))))
  (func $f32 (param $number f32) (call $print (i64.extend_i32_u (i32.reinterpret_f32 (local.get $number)))))

  ;; Operands come through parameters, so that no compiler works the results out beforehand.
  (func $doubles (param $zero f64) (param $payload f64) (param $infinity f64)
    (call $f64 (f64.div (local.get $zero) (local.get $zero)))
    (call $f64 (f64.sqrt (f64.sub (local.get $zero) (f64.const 1))))
    (call $f64 (f64.add (local.get $payload) (f64.const 1)))
    (call $f64 (f64.sub (local.get $infinity) (local.get $infinity)))
    (call $f64 (f64.min (local.get $zero) (local.get $payload))))
  (func $singles (param $zero f32) (param $payload f32) (param $infinity f32)
    (call $f32 (f32.div (local.get $zero) (local.get $zero)))
    (call $f32 (f32.add (local.get $payload) (f32.const 1)))
    (call $f32 (f32.sub (local.get $infinity) (local.get $infinity)))
    (call $f32 (f32.demote_f64 (f64.promote_f32 (local.get $payload)))))

  (func (export "_start")
    (call $doubles (f64.const 0) (f64.const -nan:0x8000000001234) (f64.const inf))
    (call $singles (f32.const 0) (f32.const -nan:0x401234) (f32.const inf))
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.sub (global.get $at) (i32.const 1024)))
    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
      (then (call $proc_exit (i32.const 1))))))
