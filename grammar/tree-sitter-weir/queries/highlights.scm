; Words that start something.
[
  "weir" "parser" "version" "ocsf" "with" "product" "by" "input" "on" "error" "required" "optional"
  "table" "raw" "keep" "drop" "hash" "redact" "reject" "skip" "let" "event" "emit" "add" "each" "as"
  "max" "test" "given" "expect" "exactly" "dropped" "rejected" "invalid"
] @keyword

["when" "if" "then" "else" "match"] @keyword.conditional

["and" "or" "not" "in" "is" "starts_with" "ends_with" "contains" "matches" "present"] @keyword.operator

["=" "=>" "==" "!=" "<" "<=" ">" ">=" "|>" "??" "+" "-" "*" "/" "|"] @operator

["{" "}" "(" ")" "[" "]"] @punctuation.bracket
["," "."] @punctuation.delimiter
"$" @variable.builtin

; Names.
(emit class: (name) @type)
(expect class: (name) @type)
(input format: (name) @type)
(profile (name) @type)
(column type: (name) @type)
(let name: (name) @variable)
(each name: (name) @variable.parameter)
(add name: (name) @variable.parameter)
(table name: (name) @variable)
(column name: (name) @property)
(setting name: (name) @property)
(setting_word) @constant
(target (name) @property)
(target (key) @property)
(target (quoted_key) @property)
(field (name) @property)
(field (key) @property)
(field (quoted_key) @property)
(path (name) @variable)
(call function: (name) @function.call)
(pipe function: (name) @function.call)
(path (key) @variable.member)
(path (quoted_key) @variable.member)
(path (choice (string) @variable.member))
(call (key) @variable.member)
(parenthesised (key) @variable.member)

; Constants.
(string) @string
(raw_string) @string.regexp
(text) @string
(escape) @string.escape
(interpolation ["{" "}"] @punctuation.special)
(number) @number
(unit) @number
(boolean) @boolean
[(missing) "missing"] @constant.builtin
(test name: (string) @string.special)

(comment) @comment
