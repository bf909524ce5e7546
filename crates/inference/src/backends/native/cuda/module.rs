//! Compiled kernels.

use std::ffi::{CStr, c_int};
use std::sync::Arc;

use super::driver::{Device, Handle};
use crate::NpuResult;

const MAX_DYNAMIC_SHARED_BYTES: c_int = 8;

/// A compiled file of kernels.
pub(super) struct Module {
    handle: Handle,
    device: Arc<Device>,
}

// SAFETY: handles may be used from any thread whose context is current.
unsafe impl Send for Module {}
// SAFETY: as above; nothing of it changes.
unsafe impl Sync for Module {}

impl Module {
    /// Compiles PTX for this device. The device has to be current.
    pub fn compile(device: &Arc<Device>, ptx: &CStr) -> NpuResult<Self> {
        let mut handle = std::ptr::null_mut();
        // SAFETY: the text ends with 0; a handle is written.
        let code = unsafe { (device.functions().module_load)(&raw mut handle, ptx.as_ptr().cast()) };
        device.check(code, "compiling the kernel")?;
        Ok(Self { handle, device: Arc::clone(device) })
    }

    /// A kernel of the module that needs so much shared memory.
    pub fn kernel(self: &Arc<Self>, name: &CStr, threads: usize, shared_bytes: usize) -> NpuResult<Kernel> {
        let functions = self.device.functions();
        let (mut function, mut blocks) = (std::ptr::null_mut(), 0);
        // SAFETY: the name ends with 0; a handle is written.
        let code = unsafe { (functions.module_function)(&raw mut function, self.handle, name.as_ptr()) };
        self.device.check(code, "finding the kernel")?;
        // SAFETY: numbers for a function that was found.
        let code = unsafe { (functions.function_set)(function, MAX_DYNAMIC_SHARED_BYTES, shared_bytes as c_int) };
        self.device.check(code, "asking for shared memory")?;
        // SAFETY: as above; writes one number.
        let code = unsafe { (functions.occupancy)(&raw mut blocks, function, threads as c_int, shared_bytes) };
        self.device.check(code, "asking how many blocks fit")?;
        let resident_blocks = blocks.max(1) as usize * self.device.multiprocessors;
        Ok(Kernel { function, threads, shared_bytes, resident_blocks, _module: Arc::clone(self) })
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        if self.device.make_current().is_ok() {
            // SAFETY: the handle is ours; kernels hold an `Arc` of `self`.
            unsafe { (self.device.functions().module_unload)(self.handle) };
        }
    }
}

/// A kernel and how it is started.
pub(super) struct Kernel {
    pub function: Handle,
    pub threads: usize,
    pub shared_bytes: usize,
    /// Blocks that run at the same time.
    pub resident_blocks: usize,
    /// Kept: the function is part of it.
    _module: Arc<Module>,
}

// SAFETY: handles may be used from any thread whose context is current.
unsafe impl Send for Kernel {}
// SAFETY: as above; nothing of it changes.
unsafe impl Sync for Kernel {}
