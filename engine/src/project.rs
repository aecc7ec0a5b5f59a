//! A record's text to slots: the wanted values, as spans of it.
//!
//! No tree is built. One walk over a sound record looks at the members that the [`Projection`] names, jumps over all
//! else, and ends as soon as nothing more is wanted. A slot then holds the *text* of its value, and the types that it
//! is read as decide later what it means; so numbers keep their digits, and what nobody reads costs nothing.
//!
//! What is looked at has been found sound ([`crate::sound`]): its strings are closed and its brackets match. More is not
//! known about it, and need not be: `{"a": 1 2, "b"}` is sound. What lies between two commas of an object is a *member*
//! if it starts with a string and a colon; the rest is its value, which may be blank, or more than one value. Such a
//! value has no members or elements, and whoever reads it finds it invalid.
//!
//! [`indexed`] does the same without the walk, where a record is as usual.
//!
//! A row of cells is projected by position: [`csv`] looks the names up once for each header.
//!
//! [`Projection`]: crate::plan::Projection

pub(crate) mod csv;
pub(crate) mod found;
pub(crate) mod indexed;
pub(crate) mod json;
pub(crate) mod skip;
pub(crate) mod strict;
pub(crate) mod string;

#[cfg(test)]
mod tests;
