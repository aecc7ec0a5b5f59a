/**
 * @file The grammar of weir, edition 1, for tree-sitter. It follows `../weir.ebnf` rule by rule.
 * @license Apache-2.0
 */
/// <reference types="tree-sitter-cli/dsl" />
// @ts-check

/** Binding powers, loosest first. */
const P = { or: 1, and: 2, not: 3, coalesce: 4, sum: 5, product: 6, pipe: 7, negate: 8, steps: 9 };

/** One or more of a rule, with a sign between two. */
const separated = (sign, rule) => seq(rule, repeat(seq(sign, rule)));

/** An operator that leans to the left. */
const operator = (power, operand, sign) =>
  prec.left(
    power,
    seq(field("left", operand), field("operator", sign), field("right", operand)),
  );

module.exports = grammar({
  name: "weir",

  // Line ends carry no meaning; a byte order mark may begin the file.
  extras: ($) => [/[ \t\r\n\f\uFEFF]/, $.comment],

  word: ($) => $._word,

  // Words that are reserved in every place but behind a dot.
  reserved: {
    global: ($) => [
      "let", "when", "else", "each", "as", "emit", "event", "add", "drop", "keep", "on", "reject",
      "skip", "if", "then", "match", "and", "or", "not", "in", "is", "true", "false", "missing",
      "present", "starts_with", "ends_with", "contains", "matches",
    ],
    none: (_) => [],
  },

  rules: {
    file: ($) =>
      seq(
        $.edition,
        $.parser,
        $.ocsf,
        $.product,
        $.input,
        $.on_error,
        repeat($._item),
      ),

    // The head.

    edition: ($) => seq("weir", $.number),
    parser: ($) => seq("parser", field("name", $.string), "version", field("version", $.number)),
    ocsf: ($) =>
      seq("ocsf", field("version", $.string), optional(seq("with", separated(",", $.profile)))),
    profile: ($) => choice($.name, $.string),
    product: ($) =>
      seq("product", field("name", $.string), optional(seq("by", field("vendor", $.string)))),
    input: ($) => seq("input", field("format", $.name), "{", repeat($.setting), "}"),
    // Words that are reserved elsewhere may be values, so the name is not a node of its own here: what follows it is read
    // in its own state.
    setting: ($) =>
      seq(
        field("name", alias($._word, $.name)),
        field(
          "value",
          choice($.string, $.number, $.unit, alias($.wrapper_path, $.path), alias(reserved("none", $._word), $.setting_word)),
        ),
      ),
    wrapper_path: ($) => seq("$", repeat($._step)),
    on_error: ($) =>
      seq("on", "error", "{", "required", "reject", "optional", choice("reject", "skip"), "}"),

    // Items.

    _item: ($) => choice($.table, $.raw, $.keep, $.test, $.let, $._statement),

    table: ($) =>
      seq(
        "table",
        field("name", $.name),
        "(",
        separated(",", $.column),
        ")",
        "{",
        repeat($.row),
        "}",
      ),
    column: ($) => seq(field("name", $.name), optional(field("type", $.name))),
    row: ($) =>
      seq(choice("else", separated("|", $.string)), "=>", separated(",", $.literal)),

    raw: ($) =>
      seq(
        "raw",
        choice("keep", "drop", "hash", seq("redact", "[", separated(",", $.path), "]")),
      ),
    keep: ($) => seq("keep", "when", field("condition", $.expression)),

    _statement: ($) => choice($.drop, $.reject, $.when, $.each, $.emit, $.event),

    // A `when` behind a `drop` is its condition.
    drop: ($) => prec.right(seq("drop", optional(seq("when", field("condition", $.expression))))),
    reject: ($) => seq("reject", field("reason", $.string)),
    when: ($) =>
      seq(
        "when",
        field("condition", $.expression),
        $.block,
        repeat(seq("else", "when", field("condition", $.expression), $.block)),
        optional(seq("else", $.block)),
      ),
    each: ($) => seq("each", $._loop, $.block),
    _loop: ($) =>
      seq(field("list", $.path), "as", field("name", $.name), "max", field("max", $.number)),
    block: ($) => seq("{", repeat(choice($.let, $._statement)), "}"),
    let: ($) => seq("let", field("name", $.name), "=", field("value", $.expression)),

    event: ($) => seq("event", "{", repeat(choice($.let, $.assignment)), "}"),
    emit: ($) =>
      seq("emit", field("class", $.name), "{", repeat(choice($.event, $._entry)), "}"),
    object: ($) => seq("{", repeat($._entry), "}"),
    _entry: ($) => choice($.let, $.add, $.nested, $.assignment),
    add: ($) =>
      seq("add", field("target", $.target), optional(seq("each", $._loop)), $.object),
    nested: ($) => seq(field("target", $.target), $.object),
    assignment: ($) =>
      seq(field("target", $.target), "=", field("value", $.expression), repeat($.handler)),
    target: ($) => seq($.name, repeat(seq(".", $._key))),
    handler: ($) =>
      seq(
        "on",
        choice("missing", "invalid"),
        choice("skip", "reject", field("value", $.expression)),
      ),

    // Tests.

    test: ($) =>
      seq(
        "test",
        field("name", $.string),
        "{",
        $.given,
        repeat($.expect),
        "}",
      ),
    given: ($) => seq("given", choice($.text, $.string)),
    expect: ($) =>
      seq(
        "expect",
        choice(
          "dropped",
          seq("rejected", optional(field("target", $.string))),
          seq(optional("exactly"), field("class", $.name), $.checks),
        ),
      ),
    checks: ($) => seq("{", repeat($.check), "}"),
    check: ($) =>
      seq(
        field("field", $.field),
        choice($.checks, seq("=", $.literal), seq("is", "missing")),
      ),
    field: ($) =>
      seq(
        choice("event", $.name),
        repeat(choice(seq(".", $._key), seq("[", $.number, "]"))),
      ),

    // Expressions. An `if` reaches as far as it can, so it is no operand; comparisons do not chain.

    expression: ($) => choice($.conditional, $._condition),
    _condition: ($) => choice($.logical, $.not, $.comparison, $.outcome, $._value),
    _value: ($) =>
      choice(
        $.binary,
        $.negative,
        $.pipe,
        $.call,
        $.path,
        $.list,
        $.match,
        $.parenthesised,
        $.string,
        $.raw_string,
        $.number,
        $.unit,
        $.boolean,
        $.missing,
      ),

    conditional: ($) =>
      seq(
        "if",
        field("condition", $.expression),
        "then",
        field("then", $.expression),
        "else",
        field("otherwise", $.expression),
      ),

    logical: ($) => choice(operator(P.or, $._condition, "or"), operator(P.and, $._condition, "and")),
    not: ($) => prec(P.not, seq("not", $._condition)),

    comparison: ($) =>
      seq(
        field("left", $._value),
        field(
          "operator",
          choice(
            "==", "!=", "<", "<=", ">", ">=", "in", "starts_with", "ends_with", "contains",
            "matches",
          ),
        ),
        field("right", $._value),
      ),
    outcome: ($) =>
      seq($._value, "is", optional("not"), choice("missing", "present", "invalid")),

    binary: ($) =>
      choice(
        operator(P.coalesce, $._value, "??"),
        operator(P.sum, $._value, choice("+", "-")),
        operator(P.product, $._value, choice("*", "/")),
      ),
    negative: ($) => prec(P.negate, seq("-", $._value)),

    pipe: ($) =>
      prec.left(
        P.pipe,
        seq(
          field("value", $._value),
          "|>",
          field("function", $.name),
          optional($.arguments),
        ),
      ),

    call: ($) => prec.left(P.steps, seq(field("function", $.name), $.arguments, repeat($._step))),
    arguments: ($) => seq("(", optional(separated(",", $.expression)), ")"),

    path: ($) =>
      prec.left(
        P.steps,
        choice(
          seq(".", $._segment, repeat($._step)),
          seq("$", repeat($._step)),
          seq($.name, repeat($._step)),
        ),
      ),
    parenthesised: ($) => prec.left(P.steps, seq("(", $.expression, ")", repeat($._step))),
    // A path has no space inside, so that `[.a .b]` is no path.
    _step: ($) => choice(seq(token.immediate("."), $._segment), $.index),
    index: ($) => seq("[", choice("*", $.expression), "]"),
    _segment: ($) => choice($._key, $.choice),
    choice: ($) => seq("(", separated("|", $.string), ")"),
    _key: ($) => choice(alias(reserved("none", $._word), $.key), alias($.string, $.quoted_key)),

    list: ($) => seq("[", optional(separated(",", $.expression)), "]"),
    match: ($) => seq("match", field("subject", $.expression), "{", repeat($.arm), "}"),
    arm: ($) =>
      seq(
        choice("else", separated("|", $._pattern)),
        "=>",
        field("value", $.expression),
      ),
    _pattern: ($) => choice($.string, $.number, $.boolean),

    literal: ($) => choice(seq(optional("-"), $.number), $.string, $.boolean),

    // Tokens.

    name: ($) => $._word,
    _word: (_) => /[A-Za-z_][A-Za-z0-9_]*/,
    boolean: (_) => choice("true", "false"),
    missing: (_) => "missing",
    number: (_) => /[0-9][0-9_]*(\.[0-9]+)?/,
    unit: (_) => /[0-9]+(KiB|MiB|GiB|ms|s|m|h|d)/,

    string: ($) =>
      seq(
        '"',
        repeat(choice($.string_content, $.escape, $.interpolation)),
        token.immediate('"'),
      ),
    string_content: (_) => token.immediate(prec(1, /[^"\\{\n]+/)),
    escape: (_) => token.immediate(prec(1, /\\(["\\ntr{*]|u\{[0-9A-Fa-f]{1,6}\})/)),
    interpolation: ($) => seq(token.immediate("{"), $.expression, "}"),
    raw_string: (_) => /r"[^"\n]*"/,
    text: (_) => token(prec(2, /"""([^"]|"[^"]|""[^"])*"""/)),

    comment: (_) => /#[^\n]*/,
  },
});
