[
  (input)
  (on_error)
  (table)
  (block)
  (event)
  (emit)
  (object)
  (test)
  (checks)
  (match)
  (text)
] @fold
