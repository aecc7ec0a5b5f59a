((raw_string) @injection.content
  (#set! injection.language "regex"))

; Samples are in the format of the input; for two of three that is JSON.
((given (text) @injection.content)
  (#set! injection.language "json"))

((comment) @injection.content
  (#set! injection.language "comment"))
