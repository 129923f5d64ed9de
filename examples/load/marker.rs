//! What a message is known by, at the beginning of its body: sender, number and when it was due.

/// How long it is: three numbers of 16 hexadecimal digits, and what is around them.
pub(crate) const LENGTH: usize = 3 * 16 + 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) sender: u64,
    pub(crate) number: u64,
    /// Nanoseconds since the run began.
    pub(crate) due: u64,
}

impl Marker {
    /// A body of so many bytes.
    pub(crate) fn body(self, length: usize) -> String {
        let Self { sender, number, due } = self;
        let mut body = format!("~{sender:016x}.{number:016x}.{due:016x}~");
        body.extend(std::iter::repeat_n('x', length.saturating_sub(body.len())));
        body
    }

    /// What a body is of; other people's are of nobody.
    pub(crate) fn of(body: &str) -> Option<Self> {
        let (marker, _) = body.strip_prefix('~')?.split_once('~')?;
        let mut numbers = marker.split('.').map(|number| u64::from_str_radix(number, 16).ok());
        let marker =
            Self { sender: numbers.next()??, number: numbers.next()??, due: numbers.next()?? };
        numbers.next().is_none().then_some(marker)
    }
}
