//! Text to values: the typed readers.
