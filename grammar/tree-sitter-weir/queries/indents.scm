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
  (list)
  (arguments)
] @indent.begin

["}" "]" ")"] @indent.branch @indent.end

[(text) (comment)] @indent.ignore
