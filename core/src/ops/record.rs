//! Checked reading of an operator record's fields.

use crate::blob::format::{ConstantRef, FLAG_BOUNDED, MAX_DIMENSION, MAX_WINDOW, OperatorRecord};
use crate::blob::{ALIGNMENT, Activation, Window};
use crate::quantized::Multiplier;
use crate::{Feature, LoadError};

/// A record with the constants it refers to.
pub(crate) struct Record<'r, 'm> {
    pub raw: &'r OperatorRecord,
    pub constants: &'m [u8],
    pub index: u16,
}

impl<'m> Record<'_, 'm> {
    /// Constant number `at`, as a slice of `T`.
    pub fn constant<T: bytemuck::AnyBitPattern>(&self, at: usize) -> Result<&'m [T], LoadError> {
        let error = LoadError::BadConstant { operator: self.index };
        let ConstantRef { offset, bytes } = self.raw.constants.get(at).copied().ok_or(error)?;
        let (start, bytes) = (offset as usize, bytes as usize);
        let slice = self.constants.get(start..).and_then(|rest| rest.get(..bytes)).ok_or(error)?;
        if start % ALIGNMENT != 0 {
            return Err(error);
        }
        bytemuck::try_cast_slice(slice).map_err(|_| error)
    }

    /// Refuses constants from number `used` on, parameters likewise: what is not used must be zero.
    pub fn expect_unused(&self, constants: usize, parameters: usize) -> Result<(), LoadError> {
        let constants = self.raw.constants.iter().skip(constants).all(|c| *c == ConstantRef::default());
        let parameters = self.raw.parameters.iter().skip(parameters).all(|p| *p == 0);
        if constants && parameters { Ok(()) } else { Err(LoadError::UnknownOption { operator: self.index }) }
    }

    /// Refuses a layout, rounding or flag on an operator that has no weights.
    pub fn expect_no_options(&self) -> Result<(), LoadError> {
        let raw = self.raw;
        let plain = raw.layout == 0 && raw.rounding == 0 && raw.flags == 0;
        if plain { Ok(()) } else { Err(LoadError::UnknownOption { operator: self.index }) }
    }

    /// The bounded flag; an operator without it may have been left out.
    pub fn bounded(&self) -> Result<bool, LoadError> {
        let bounded = self.raw.flags & FLAG_BOUNDED != 0;
        let built = bounded || cfg!(feature = "unbounded");
        if built { Ok(bounded) } else { Err(LoadError::LeftOut { operator: self.index, feature: Feature::Unbounded }) }
    }

    /// Refuses a rounding on an operator that has but one.
    pub fn expect_no_rounding(&self) -> Result<(), LoadError> {
        if self.raw.rounding == 0 { Ok(()) } else { Err(LoadError::UnknownOption { operator: self.index }) }
    }

    /// Parameters 0 to 7: kernel, stride, dilation, padding, each height then width.
    pub fn window(&self) -> Result<Window, LoadError> {
        let error = LoadError::BadParameter { operator: self.index };
        let &[kh, kw, sh, sw, dh, dw, ph, pw, ..] = &self.raw.parameters;
        let positive = [kh, kw, sh, sw, dh, dw].iter().all(|v| (1..=MAX_WINDOW).contains(v));
        let padding = [ph, pw].iter().all(|v| (0..=MAX_WINDOW).contains(v));
        if !(positive && padding) {
            return Err(error);
        }
        let pair = |a: i32, b: i32| [a as usize, b as usize];
        Ok(Window { kernel: pair(kh, kw), stride: pair(sh, sw), dilation: pair(dh, dw), padding: pair(ph, pw) })
    }

    /// Parameters `at` and `at + 1`: a multiplier of at least 0 and a shift within `shifts`.
    pub fn multiplier(&self, at: usize, shifts: core::ops::RangeInclusive<i32>) -> Result<Multiplier, LoadError> {
        let error = LoadError::BadMultiplier { operator: self.index };
        let read = |i: usize| self.raw.parameters.get(i).copied().ok_or(error);
        let (multiplier, shift) = (read(at)?, read(at + 1)?);
        if multiplier >= 0 && shifts.contains(&shift) { Ok(Multiplier { multiplier, shift }) } else { Err(error) }
    }

    /// Parameter `at`: a dimension, 0 to 3.
    pub fn axis(&self, at: usize) -> Result<usize, LoadError> {
        let axis = self.raw.parameters.get(at).and_then(|v| usize::try_from(*v).ok()).filter(|axis| *axis < 4);
        axis.ok_or(LoadError::BadParameter { operator: self.index })
    }

    /// Parameter `at`: a length, 1 to the largest dimension.
    pub fn size(&self, at: usize) -> Result<usize, LoadError> {
        let size = self.raw.parameters.get(at).and_then(|v| u32::try_from(*v).ok());
        let size = size.filter(|size| (1..=MAX_DIMENSION).contains(size));
        size.map(|size| size as usize).ok_or(LoadError::BadParameter { operator: self.index })
    }

    /// Parameter `at`: 0 or 1.
    pub fn flag(&self, at: usize) -> Result<bool, LoadError> {
        match self.raw.parameters.get(at) {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(LoadError::BadParameter { operator: self.index }),
        }
    }

    /// Parameters `at` and `at + 1`: the range of the fused activation.
    pub fn activation(&self, at: usize) -> Result<Activation, LoadError> {
        let error = LoadError::BadParameter { operator: self.index };
        let read = |i: usize| self.raw.parameters.get(i).and_then(|v| i8::try_from(*v).ok()).ok_or(error);
        let activation = Activation { min: read(at)?, max: read(at + 1)? };
        if activation.min <= activation.max { Ok(activation) } else { Err(error) }
    }
}

impl Window {
    /// Rows or columns from the first tap to the last, on axis 0 (height) or 1 (width).
    pub(crate) fn extent(&self, axis: usize) -> Option<usize> {
        let (kernel, dilation) = (self.kernel.get(axis)?, self.dilation.get(axis)?);
        kernel.checked_sub(1)?.checked_mul(*dilation)?.checked_add(1)
    }

    /// Whether outputs of `output` positions slide over `input` positions: each window starts before the input's end,
    /// the padding is smaller than the window, and no further window would fit into the input.
    #[inline(never)]
    pub(crate) fn fits(&self, axis: usize, input: usize, output: usize) -> bool {
        let check = || {
            let (extent, padding, stride) = (self.extent(axis)?, *self.padding.get(axis)?, *self.stride.get(axis)?);
            let last = output.checked_sub(1)?.checked_mul(stride)?;
            let unused = input.checked_add(padding)?.checked_sub(last.checked_add(extent)?);
            Some(padding < extent && last < input.checked_add(padding)? && unused.is_none_or(|rest| rest < stride))
        };
        check().unwrap_or(false)
    }
}
