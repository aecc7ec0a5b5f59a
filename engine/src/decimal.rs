//! Exact decimals: 128 bits, 18 places.
//!
//! Money must not be rounded by the way. A [`Decimal`] is a whole number of 10^-18, so sums and differences are exact,
//! and products and quotients, computed with 256 bits in between, are the exact result rounded half-even to 18 places.
//! What does not fit (beyond about 1.7 * 10^20) is no number: the operations say `None`.

use std::fmt;

use ethnum::I256;

use crate::read;
use crate::types::NumberFormat;

/// A number with 18 decimal places: the value times 10^18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(pub i128);

/// 1 as a scaled number.
const ONE: i128 = 10_i128.pow(Decimal::PLACES);

impl Decimal {
    /// 0
    pub const ZERO: Self = Self(0);

    /// The number of decimal places.
    pub const PLACES: u32 = 18;

    /// The longest [`fmt::Display`] text: sign, 21 digits, point, 18 digits.
    pub const TEXT_BYTES_MAX: usize = 41;

    /// Reads a number as JSON writes it; further places are rounded half-even.
    pub fn parse(text: &str) -> Option<Self> {
        read::decimal(text, NumberFormat::default())
    }

    /// The same number; every whole number of 64 bits fits.
    pub const fn from_i64(whole: i64) -> Self {
        Self(whole as i128 * ONE)
    }

    /// The decimal that is written like the shortest text of this float, if it fits.
    pub fn from_f64(float: f64) -> Option<Self> {
        Self::parse(&format!("{float:e}"))
    }

    /// The same number, if it is whole and fits.
    pub fn to_i64(self) -> Option<i64> {
        if self.0 % ONE == 0 { i64::try_from(self.0 / ONE).ok() } else { None }
    }

    /// The nearest float.
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().expect("a decimal's text is a float's text")
    }

    /// The sum.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The product, rounded half-even.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        if let Some(product) = self.0.checked_mul(other.0) {
            return Some(Self(divide_half_even(product, ONE)));
        }
        quotient_half_even(I256::from(self.0) * I256::from(other.0), I256::from(ONE))
    }

    /// The quotient, rounded half-even. Division by zero gives none.
    pub fn checked_div(self, other: Self) -> Option<Self> {
        if other.0 == 0 {
            return None;
        }
        if let Some(dividend) = self.0.checked_mul(ONE)
            && let Some(magnitude) = other.0.checked_abs()
        {
            let dividend = if other.0 < 0 { dividend.checked_neg()? } else { dividend };
            return Some(Self(divide_half_even(dividend, magnitude)));
        }
        quotient_half_even(I256::from(self.0) * I256::from(ONE), I256::from(other.0))
    }

    /// The product with a whole number.
    pub(crate) fn checked_times(self, whole: i64) -> Option<Self> {
        self.0.checked_mul(whole.into()).map(Self)
    }

    /// The quotient by a positive whole number, rounded half-even.
    pub(crate) fn divided_by(self, whole: i64) -> Self {
        Self(divide_half_even(self.0, whole.into()))
    }

    /// Minus this.
    pub fn checked_neg(self) -> Option<Self> {
        self.0.checked_neg().map(Self)
    }

    /// Without its sign.
    pub fn checked_abs(self) -> Option<Self> {
        self.0.checked_abs().map(Self)
    }

    /// Rounded half-even to fewer places; 18 and more change nothing.
    pub fn round(self, places: u32) -> Option<Self> {
        if places >= Self::PLACES {
            return Some(self);
        }
        let unit = 10_i128.pow(Self::PLACES - places);
        divide_half_even(self.0, unit).checked_mul(unit).map(Self)
    }
}

/// Divides by a positive divisor and rounds half-even.
fn divide_half_even(dividend: i128, divisor: i128) -> i128 {
    if let (Ok(small), Ok(divisor)) = (u64::try_from(dividend), u64::try_from(divisor)) {
        // The usual case: dividing 128 bits takes many times as long.
        let (quotient, rest) = (small / divisor, small % divisor);
        let other = divisor - rest;
        return (quotient + u64::from(rest > other || rest == other && quotient % 2 != 0)).into();
    }
    let quotient = dividend / divisor;
    // Cheaper than another division.
    let rest = (dividend - quotient * divisor).abs();
    // The divisor minus the rest cannot overflow, twice the rest could.
    let other = divisor - rest;
    let away = rest > other || (rest == other && quotient % 2 != 0);
    quotient + if away { dividend.signum() } else { 0 }
}

/// Divides with 256 bits and rounds half-even; none if the result does not fit.
fn quotient_half_even(dividend: I256, divisor: I256) -> Option<Decimal> {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    let (rest, size) = (rest.abs(), divisor.abs());
    let other = size - rest;
    let away = rest > other || (rest == other && quotient % 2 != 0);
    let step = if away { dividend.signum() * divisor.signum() } else { I256::ZERO };
    i128::try_from(quotient + step).ok().map(Decimal)
}

/// Plain notation without trailing zeros: `-0.5`, `1200`, never `-0`.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let whole = magnitude / ONE as u128;
        let mut fraction = (magnitude - whole * ONE as u128) as u64;
        let sign = if self.0 < 0 { "-" } else { "" };
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let mut places = Self::PLACES as usize;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            places -= 1;
        }
        write!(f, "{sign}{whole}.{fraction:0places$}")
    }
}

impl From<i64> for Decimal {
    fn from(whole: i64) -> Self {
        Self::from_i64(whole)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect("a decimal")
    }

    #[test]
    fn texts() {
        for text in ["0", "1", "-1", "0.5", "-0.5", "1200", "0.000000000000000001", "1337.892672"] {
            assert_eq!(decimal(text).to_string(), text);
        }
        assert_eq!(decimal("-0").to_string(), "0");
        assert_eq!(decimal("20.10").to_string(), "20.1");
        assert_eq!(Decimal(i128::MIN).to_string(), "-170141183460469231731.687303715884105728");
        assert_eq!(Decimal(i128::MIN).to_string().len(), Decimal::TEXT_BYTES_MAX);
    }

    #[test]
    fn arithmetic() {
        let price = decimal("1234.56").checked_mul(decimal("1.0837")).and_then(|v| v.round(6));
        assert_eq!(price, Some(decimal("1337.892672")));
        assert_eq!(decimal("0.1").checked_add(decimal("0.2")), Some(decimal("0.3")));
        assert_eq!(decimal("1").checked_div(decimal("3")), Some(decimal("0.333333333333333333")));
        assert_eq!(decimal("2").checked_div(decimal("-3")), Some(decimal("-0.666666666666666667")));
        assert_eq!(decimal("1").checked_div(Decimal::ZERO), None);
        assert_eq!(Decimal(i128::MAX).checked_add(Decimal(1)), None);
        assert_eq!(Decimal(i128::MAX).checked_mul(decimal("2")), None);
        assert_eq!(Decimal(i128::MAX).checked_mul(decimal("1")), Some(Decimal(i128::MAX)));
        assert_eq!(Decimal(i128::MAX).checked_div(decimal("0.5")), None);
        assert_eq!(Decimal(i128::MIN).checked_div(decimal("-1")), None);
        assert_eq!(Decimal(i128::MIN).checked_div(Decimal(i128::MIN)), Some(decimal("1")));
        assert_eq!(Decimal(1).checked_div(Decimal(i128::MIN)), Some(Decimal::ZERO));
        assert_eq!(Decimal(i128::MIN).checked_neg(), None);
        assert_eq!(Decimal(i128::MIN).checked_abs(), None);
    }

    #[test]
    fn half_even() {
        let half = decimal("0.5");
        for (scaled, product) in [(1, 0), (3, 2), (-1, 0), (-3, -2), (5, 2)] {
            assert_eq!(Decimal(scaled).checked_mul(half), Some(Decimal(product)));
        }
        for (text, places, rounded) in [
            ("0.125", 2, "0.12"),
            ("0.135", 2, "0.14"),
            ("-0.125", 2, "-0.12"),
            ("0.1250001", 2, "0.13"),
            ("2.5", 0, "2"),
            ("3.5", 0, "4"),
            ("-0.4", 0, "0"),
            ("1.23", 99, "1.23"),
        ] {
            assert_eq!(decimal(text).round(places), Some(decimal(rounded)), "{text}");
        }
        assert_eq!(Decimal(i128::MAX).round(0), None);
    }

    #[test]
    fn conversions() {
        assert_eq!(Decimal::from_i64(i64::MIN).to_i64(), Some(i64::MIN));
        assert_eq!(decimal("0.5").to_i64(), None);
        assert_eq!(decimal("9223372036854775808").to_i64(), None);
        assert_eq!(decimal("0.1").to_f64(), 0.1);
        assert_eq!(Decimal::from_f64(0.1), Some(decimal("0.1")));
        assert_eq!(Decimal::from_f64(1e30), None);
        assert_eq!(Decimal::from_f64(f64::NAN), None);
        assert!(decimal("-2") < decimal("-1.5"));
    }

    /// Numbers of every size, small ones as likely as large ones.
    fn any_decimal() -> impl Strategy<Value = Decimal> {
        (any::<i128>(), 0_u32..127).prop_map(|(bits, shift)| Decimal(bits >> shift))
    }

    /// Floor division with twice the remainder compared: another road to half-even.
    fn oracle(dividend: I256, divisor: I256) -> Option<Decimal> {
        let (dividend, divisor) =
            if divisor < 0 { (-dividend, -divisor) } else { (dividend, divisor) };
        let floor = dividend.div_euclid(divisor);
        let twice = dividend.rem_euclid(divisor) * 2;
        let up = twice > divisor || (twice == divisor && floor.rem_euclid(I256::new(2)) == 1);
        i128::try_from(floor + if up { I256::ONE } else { I256::ZERO }).ok().map(Decimal)
    }

    proptest! {
        #[test]
        fn whole_numbers(a in any_decimal(), whole in 1..i64::MAX) {
            let decimal = Decimal::from_i64(whole);
            prop_assert_eq!(a.checked_times(whole), a.checked_mul(decimal));
            prop_assert_eq!(Some(a.divided_by(whole)), a.checked_div(decimal));
        }

        #[test]
        fn products_and_quotients(a in any_decimal(), b in any_decimal()) {
            let (left, right, one) = (I256::from(a.0), I256::from(b.0), I256::from(ONE));
            prop_assert_eq!(a.checked_mul(b), oracle(left * right, one));
            if b.0 != 0 {
                prop_assert_eq!(a.checked_div(b), oracle(left * one, right));
            }
        }

        #[test]
        fn rounding(a in any_decimal(), places in 0_u32..18) {
            let unit = I256::from(10_i128.pow(18 - places));
            let expected = oracle(I256::from(a.0), unit)
                .and_then(|whole| i128::try_from(I256::from(whole.0) * unit).ok())
                .map(Decimal);
            prop_assert_eq!(a.round(places), expected);
        }

        #[test]
        fn texts_read_back(a in any_decimal()) {
            prop_assert_eq!(Decimal::parse(&a.to_string()), Some(a));
        }
    }
}
