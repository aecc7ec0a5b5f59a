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
    /// A list of values of one scalar type.
    List(&'static Type),
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
            Self::List(of) => match of {
                Self::Text => "a list of texts",
                Self::Int => "a list of whole numbers",
                Self::Decimal | Self::Float => "a list of numbers",
                Self::Ip => "a list of IP addresses",
                _ => "a list",
            },
        }
    }

    /// A list of such values; of a list, itself, for lists do not nest.
    pub const fn list(self) -> Self {
        Self::List(match self {
            Self::Text => &Self::Text,
            Self::Int => &Self::Int,
            Self::Decimal => &Self::Decimal,
            Self::Float => &Self::Float,
            Self::Bool => &Self::Bool,
            Self::Timestamp => &Self::Timestamp,
            Self::Duration => &Self::Duration,
            Self::Ip => &Self::Ip,
            Self::Cidr => &Self::Cidr,
            Self::Json => &Self::Json,
            Self::List(of) => of,
        })
    }

    /// The type of the elements, if it is a list.
    pub const fn element(self) -> Option<Self> {
        match self {
            Self::List(of) => Some(*of),
            _ => None,
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
