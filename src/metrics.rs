//! What tipstaff counts about itself; one name per thing that can happen.

/// Counts of what was read and what became of it. Each worker has its own and
/// they are added up, so that counting is a plain add.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes read, decompressed.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Lines that became events.
    pub events: u64,
    /// Lines that no format claims.
    pub not_mine: u64,
    /// Lines of a known format that break its grammar.
    pub malformed: u64,
    /// Lines longer than the cap, of which only the head was kept.
    pub truncated: u64,
    /// Lines with NUL bytes.
    pub nul: u64,
    /// Lines that are not UTF-8.
    pub not_utf8: u64,
    /// Lines that are the one before them once more, as far as both came at once.
    pub repeated: u64,
    /// Events later than the lateness bound.
    pub late: u64,
    /// Events whose stamp is too far ahead of the others to be believed.
    pub future: u64,
    /// Events without a stamp.
    pub timeless: u64,
}

impl Counts {
    /// Adds another worker's.
    pub fn add(&mut self, other: &Counts) {
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.events += other.events;
        self.not_mine += other.not_mine;
        self.malformed += other.malformed;
        self.truncated += other.truncated;
        self.nul += other.nul;
        self.not_utf8 += other.not_utf8;
        self.repeated += other.repeated;
        self.late += other.late;
        self.future += other.future;
        self.timeless += other.timeless;
    }
}
