;; A WASI 0.1 core module that uses nothing of ours: counts lines, words and bytes on standard input, like `wc`, and prints
;; `LINES WORDS BYTES`. Blanks are the bytes that C's isspace() knows. Exits with 1 when reading or writing fails.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  (memory (export "memory") 2)

  ;; Memory: 0 pointer and 4 length of the one buffer of a call, 8 how much was moved, 64..127 the line that is printed (filled
  ;; from its end), 1024.. the bytes that were read.
  (global $buffer i32 (i32.const 1024))
  (global $size i32 (i32.const 65536))
  (global $line_end i32 (i32.const 128))

  (func (export "_start")
    (local $at i32) (local $end i32) (local $byte i32) (local $in_word i32)
    (local $lines i64) (local $words i64) (local $bytes i64)
    (block $all_read
      (loop $more
        (i32.store (i32.const 0) (global.get $buffer))
        (i32.store (i32.const 4) (global.get $size))
        (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
          (then (call $proc_exit (i32.const 1))))
        (br_if $all_read (i32.eqz (i32.load (i32.const 8))))
        (local.set $bytes (i64.add (local.get $bytes) (i64.load32_u (i32.const 8))))
        (local.set $at (global.get $buffer))
        (local.set $end (i32.add (local.get $at) (i32.load (i32.const 8))))
        (loop $next
          (local.set $byte (i32.load8_u (local.get $at)))
          (local.set $lines (i64.add (local.get $lines) (i64.extend_i32_u (i32.eq (local.get $byte) (i32.const 10)))))
          (if (call $is_blank (local.get $byte))
            (then (local.set $in_word (i32.const 0)))
            (else
              (local.set $words (i64.add (local.get $words) (i64.extend_i32_u (i32.eqz (local.get $in_word)))))
              (local.set $in_word (i32.const 1))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
        (br $more)))
    (call $print (local.get $lines) (local.get $words) (local.get $bytes)))

  ;; Space, or one of tab, line feed, vertical tab, form feed, carriage return.
  (func $is_blank (param $byte i32) (result i32)
    (i32.or
      (i32.eq (local.get $byte) (i32.const 32))
      (i32.lt_u (i32.sub (local.get $byte) (i32.const 9)) (i32.const 5))))

  ;; Writes the line from its end to its beginning.
  (func $print (param $lines i64) (param $words i64) (param $bytes i64)
    (local $at i32)
    (local.set $at (call $put (global.get $line_end) (i32.const 10)))
    (local.set $at (call $put_number (local.get $at) (local.get $bytes)))
    (local.set $at (call $put (local.get $at) (i32.const 32)))
    (local.set $at (call $put_number (local.get $at) (local.get $words)))
    (local.set $at (call $put (local.get $at) (i32.const 32)))
    (local.set $at (call $put_number (local.get $at) (local.get $lines)))
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (i32.sub (global.get $line_end) (local.get $at)))
    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
      (then (call $proc_exit (i32.const 1)))))

  (func $put_number (param $at i32) (param $number i64) (result i32)
    (loop $digit
      (local.set $at
        (call $put (local.get $at) (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $number) (i64.const 10))))))
      (local.set $number (i64.div_u (local.get $number) (i64.const 10)))
      (br_if $digit (i64.ne (local.get $number) (i64.const 0))))
    (local.get $at))

  ;; Puts a byte in front of $at.
  (func $put (param $at i32) (param $byte i32) (result i32)
    (local.set $at (i32.sub (local.get $at) (i32.const 1)))
    (i32.store8 (local.get $at) (local.get $byte))
    (local.get $at)))
