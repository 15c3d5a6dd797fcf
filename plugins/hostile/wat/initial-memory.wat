;; Asks for 1,024 pages (64 MiB) of memory before its first instruction, and does nothing with it.
(module
  (memory (export "memory") 1024)
  (func (export "_start")))
