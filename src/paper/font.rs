//! Widths of characters, read from a font's `cmap`, `hhea` and `hmtx` tables. Total: a damaged font gives `None`.

/// The widths of one font.
pub(super) struct Widths {
    data: &'static [u8],
    units_per_em: f32,
    long_metrics: u16,
    hmtx: usize,
    segments: Subtable,
}

#[derive(Clone, Copy)]
enum Subtable {
    /// `cmap` format 4: characters of the first plane.
    Four(usize),
    /// `cmap` format 12: all planes.
    Twelve(usize),
}

impl Widths {
    /// Reads the tables' places.
    pub(super) fn read(data: &'static [u8]) -> Option<Self> {
        let table = |tag: &[u8; 4]| {
            let count = usize::from(u16_at(data, 4)?);
            (0..count)
                .map(|i| 12 + i * 16)
                .find(|at| data.get(*at..at + 4) == Some(tag.as_slice()))
                .and_then(|at| usize::try_from(u32_at(data, at + 8)?).ok())
        };
        let units_per_em = f32::from(u16_at(data, table(b"head")? + 18)?);
        let long_metrics = u16_at(data, table(b"hhea")? + 34)?;
        let cmap = table(b"cmap")?;
        let mut segments = None;
        for record in 0..usize::from(u16_at(data, cmap + 2)?) {
            let at = cmap + usize::try_from(u32_at(data, cmap + 4 + record * 8 + 4)?).ok()?;
            match u16_at(data, at)? {
                12 => segments = Some(Subtable::Twelve(at)),
                4 if segments.is_none() => segments = Some(Subtable::Four(at)),
                _ => {}
            }
        }
        let sound = units_per_em > 0.0 && long_metrics > 0;
        sound.then_some(Self { data, units_per_em, long_metrics, hmtx: table(b"hmtx")?, segments: segments? })
    }

    /// Width of a character in ems; `None` when the font does not have it.
    pub(super) fn of(&self, c: char) -> Option<f32> {
        let glyph = match self.segments {
            Subtable::Four(at) => self.four(at, u16::try_from(u32::from(c)).ok()?),
            Subtable::Twelve(at) => self.twelve(at, u32::from(c)),
        }?;
        let row = usize::from(glyph.min(self.long_metrics - 1));
        Some(f32::from(u16_at(self.data, self.hmtx + row * 4)?) / self.units_per_em)
    }

    fn twelve(&self, at: usize, code: u32) -> Option<u16> {
        let (mut low, mut high) = (0, usize::try_from(u32_at(self.data, at + 12)?).ok()?);
        while low < high {
            let middle = low.midpoint(high);
            let group = at + 16 + middle * 12;
            let (first, last) = (u32_at(self.data, group)?, u32_at(self.data, group + 4)?);
            if code < first {
                high = middle;
            } else if code > last {
                low = middle + 1;
            } else {
                let glyph = u32_at(self.data, group + 8)?.checked_add(code - first)?;
                return u16::try_from(glyph).ok().filter(|g| *g != 0);
            }
        }
        None
    }

    fn four(&self, at: usize, code: u16) -> Option<u16> {
        let double = usize::from(u16_at(self.data, at + 6)?);
        let (ends, starts) = (at + 14, at + 16 + double);
        let segment = (0..double / 2).find(|i| u16_at(self.data, ends + i * 2).is_some_and(|end| code <= end))?;
        let start = u16_at(self.data, starts + segment * 2)?;
        if code < start {
            return None;
        }
        let delta = u16_at(self.data, starts + double + segment * 2)?;
        let range_at = starts + 2 * double + segment * 2;
        let range = usize::from(u16_at(self.data, range_at)?);
        let glyph = if range == 0 {
            code.wrapping_add(delta)
        } else {
            match u16_at(self.data, range_at + range + usize::from(code - start) * 2)? {
                0 => 0,
                glyph => glyph.wrapping_add(delta),
            }
        };
        Some(glyph).filter(|g| *g != 0)
    }
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..at.checked_add(2)?).and_then(|b| b.try_into().ok()).map(u16::from_be_bytes)
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..at.checked_add(4)?).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes)
}
