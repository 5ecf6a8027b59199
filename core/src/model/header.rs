//! From bytes to records: header, section table, and what can be said of a tensor alone.

use super::Model;
use crate::blob::format::{
    Element, Header, MAGIC, MAX_ARENA, MAX_DIMENSION, MAX_RECORDS, Place, Section, SectionKind, Tensor, VERSION,
};
use crate::blob::{ALIGNMENT, Metadata};
use crate::{Feature, LoadError};

const HEADER: usize = size_of::<Header>();
const SECTION: usize = size_of::<Section>();

/// Checks the blob's frame and cuts it into its sections.
pub(super) fn parse(blob: &[u8]) -> Result<Model<'_>, LoadError> {
    if !(blob.as_ptr() as usize).is_multiple_of(ALIGNMENT) {
        return Err(LoadError::Misaligned);
    }
    let header = header(blob)?;
    let arena_bytes = header.arena_bytes as usize;
    if header.arena_bytes > MAX_ARENA || !arena_bytes.is_multiple_of(ALIGNMENT) {
        return Err(LoadError::ArenaTooLarge);
    }
    let mut sections = Sections::new(blob, header.sections)?;
    let tensors = records(sections.take(SectionKind::Tensors)?)?;
    let operators = records(sections.take(SectionKind::Operators)?)?;
    let (inputs, outputs) = endpoints(sections.take(SectionKind::Endpoints)?)?;
    let constants = sections.take(SectionKind::Constants)?;
    let metadata = Metadata { rest: sections.take(SectionKind::Metadata)? };
    let signature = sections.signature()?;
    sections.finish()?;
    if !(1..=MAX_RECORDS).contains(&tensors.len()) {
        return Err(LoadError::TooManyTensors);
    }
    if !(1..=MAX_RECORDS).contains(&operators.len()) {
        return Err(LoadError::TooManyOperators);
    }
    if !metadata.is_well_formed() {
        return Err(LoadError::BadMetadata);
    }
    let blob_bytes = blob.len();
    Ok(Model { tensors, records: operators, inputs, outputs, constants, metadata, signature, arena_bytes, blob_bytes })
}

fn header(blob: &[u8]) -> Result<&Header, LoadError> {
    let bytes = blob.get(..HEADER).ok_or(LoadError::TooShort)?;
    let header: &Header = bytemuck::try_from_bytes(bytes).map_err(|_| LoadError::Misaligned)?;
    if header.magic != MAGIC {
        return Err(LoadError::BadMagic);
    }
    if header.version != VERSION {
        return Err(LoadError::UnsupportedVersion { version: header.version });
    }
    if header.flags != 0 || header.reserved != [0, 0] {
        return Err(LoadError::UnknownFlags);
    }
    if header.total_bytes as usize != blob.len() || !blob.len().is_multiple_of(ALIGNMENT) {
        return Err(LoadError::WrongLength { stated: header.total_bytes });
    }
    Ok(header)
}

/// Walks the section table: each section must be the expected one and begin where the last one (padded) ended.
struct Sections<'m> {
    blob: &'m [u8],
    table: core::slice::Iter<'m, Section>,
    next: usize,
}

impl<'m> Sections<'m> {
    fn new(blob: &'m [u8], count: u32) -> Result<Self, LoadError> {
        if !(5..=6).contains(&count) {
            return Err(LoadError::BadSections);
        }
        let next = HEADER + SECTION * count as usize;
        let table = blob.get(HEADER..next).ok_or(LoadError::TooShort)?;
        let table: &[Section] = bytemuck::try_cast_slice(table).map_err(|_| LoadError::Misaligned)?;
        Ok(Self { blob, table: table.iter(), next })
    }

    #[inline(never)]
    fn take(&mut self, kind: SectionKind) -> Result<&'m [u8], LoadError> {
        let section = self.table.next().ok_or(LoadError::BadSections)?;
        let start = section.offset as usize;
        if section.kind != kind as u32 || start != self.next || section.reserved != 0 {
            return Err(LoadError::BadSections);
        }
        let rest = self.blob.get(start..).ok_or(LoadError::BadSections)?;
        let (content, rest) = rest.split_at_checked(section.bytes as usize).ok_or(LoadError::BadSections)?;
        let padding = content.len().wrapping_neg() % ALIGNMENT;
        let padding = rest.get(..padding).ok_or(LoadError::BadSections)?;
        if padding.iter().any(|b| *b != 0) {
            return Err(LoadError::NonZeroPadding);
        }
        self.next = start + content.len() + padding.len();
        Ok(content)
    }

    fn signature(&mut self) -> Result<Option<&'m [u8; 64]>, LoadError> {
        if self.table.len() == 0 {
            return Ok(None);
        }
        self.take(SectionKind::Signature)?.try_into().map(Some).map_err(|_| LoadError::BadRecordSize)
    }

    fn finish(self) -> Result<(), LoadError> {
        if self.next == self.blob.len() { Ok(()) } else { Err(LoadError::BadSections) }
    }
}

fn records<T: bytemuck::Pod>(section: &[u8]) -> Result<&[T], LoadError> {
    bytemuck::try_cast_slice(section).map_err(|_| LoadError::BadRecordSize)
}

/// Counts of inputs and outputs, then their tensors' numbers.
fn endpoints(section: &[u8]) -> Result<(&[u16], &[u16]), LoadError> {
    let words: &[u16] = records(section)?;
    let Some((&[inputs, outputs], tensors)) = words.split_first_chunk::<2>() else {
        return Err(LoadError::BadEndpoints);
    };
    let whole = usize::from(inputs) + usize::from(outputs) == tensors.len();
    match tensors.split_at_checked(usize::from(inputs)) {
        Some((i, o)) if whole && !i.is_empty() && !o.is_empty() => Ok((i, o)),
        _ => Err(LoadError::BadEndpoints),
    }
}

/// A tensor's own fields; `constants` is the length of the constants section.
pub(super) fn check_tensor(tensor: &Tensor, index: u16, arena: usize, constants: usize) -> Result<(), LoadError> {
    let (element, place) = (Element::from_code(tensor.element), Place::from_code(tensor.place));
    let (Some(element), Some(place), 0) = (element, place, tensor.reserved) else {
        return Err(LoadError::UnknownType { tensor: index });
    };
    if element.built().is_none() {
        return Err(LoadError::TypeLeftOut { tensor: index, feature: Feature::Element(element) });
    }
    let shape = tensor.shape();
    let unused = tensor.dimensions.iter().skip(shape.len());
    let in_range = shape.iter().all(|d| (1..=MAX_DIMENSION).contains(d)) && unused.clone().all(|d| *d == 1);
    let bytes = shape.iter().try_fold(element.bytes() as u32, |product, d| product.checked_mul(*d));
    let Some(bytes) = bytes.filter(|bytes| *bytes <= MAX_ARENA && in_range && !shape.is_empty()) else {
        return Err(LoadError::BadShape { tensor: index });
    };
    let zero_point = match element {
        Element::Int8 => i8::try_from(tensor.zero_point).is_ok(),
        Element::Int16 | Element::Int32 => tensor.zero_point == 0,
    };
    // Positive and finite, seen in the bits: floats are dear on small machines.
    let scale = (1..f32::INFINITY.to_bits()).contains(&tensor.scale.to_bits());
    if !(scale && zero_point) {
        return Err(LoadError::BadQuantization { tensor: index });
    }
    let (space, error) = match place {
        Place::Arena | Place::State => (arena, LoadError::OutsideArena { tensor: index }),
        Place::Constant => (constants, LoadError::OutsideConstants { tensor: index }),
    };
    let start = tensor.offset as usize;
    let end = start.checked_add(bytes as usize);
    if start.is_multiple_of(ALIGNMENT) && end.is_some_and(|end| end <= space) { Ok(()) } else { Err(error) }
}
