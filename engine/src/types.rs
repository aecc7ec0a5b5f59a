//! The types of values, and how a path is read.

/// The type of an expression. Every type may also be missing or invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// Unicode text.
    Text,
    /// 64-bit signed.
    Int,
    /// 128 bits, 18 places.
    Decimal,
    /// IEEE 754 binary64; only where it is asked for.
    Float,
    /// true or false.
    Bool,
    /// UTC nanoseconds since 1970.
    Timestamp,
    /// Nanoseconds.
    Duration,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A network.
    Cidr,
    /// A JSON text of any shape, copied as it stands.
    Json,
    /// A list of texts.
    TextList,
}

impl Type {
    /// What messages call it, with its article: "a timestamp".
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "a whole number",
            Self::Decimal => "a number",
            Self::Float => "a floating-point number",
            Self::Bool => "true or false",
            Self::Timestamp => "a timestamp",
            Self::Duration => "a duration",
            Self::Ip => "an IP address",
            Self::Cidr => "a network",
            Self::Json => "JSON",
            Self::TextList => "a list of texts",
        }
    }
}

/// How numbers are written in text: in the cells of a CSV input, else as in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NumberFormat {
    /// The decimal sign.
    pub decimal: u8,
    /// The sign between groups of three digits; strict where it is used.
    pub grouping: Option<u8>,
}

impl Default for NumberFormat {
    fn default() -> Self {
        Self { decimal: b'.', grouping: None }
    }
}
