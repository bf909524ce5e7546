//! Work on the device in order.

use std::ffi::{c_uint, c_void};
use std::sync::Arc;

use super::driver::{Device, Handle};
use super::memory::{DeviceBuffer, HostBuffer};
use super::module::Kernel;
use crate::NpuResult;

/// Work that is done in order, beside that of other streams.
pub(super) struct Stream {
    handle: Handle,
    device: Arc<Device>,
}

// SAFETY: a stream may be used from any thread whose context is current.
unsafe impl Send for Stream {}

impl Stream {
    pub fn new(device: &Arc<Device>) -> NpuResult<Self> {
        /// It does not wait for the stream that libraries share.
        const NON_BLOCKING: c_uint = 1;
        let mut handle = std::ptr::null_mut();
        // SAFETY: writes one handle.
        let code = unsafe { (device.functions().stream_create)(&raw mut handle, NON_BLOCKING) };
        device.check(code, "making a stream")?;
        Ok(Self { handle, device: Arc::clone(device) })
    }

    /// Starts a kernel with three buffers and a number: the arguments that both of our kernels have.
    ///
    /// # Safety
    /// The kernel has these arguments and stays within the buffers for this number; they live until the stream was waited for.
    pub unsafe fn launch(
        &self,
        kernel: &Kernel,
        blocks: usize,
        buffers: [&DeviceBuffer; 3],
        number: u32,
    ) -> NpuResult<()> {
        let mut addresses = buffers.map(|buffer| buffer.address());
        let mut number = number;
        let [a, b, c] = addresses.each_mut().map(|address| std::ptr::from_mut(address).cast::<c_void>());
        let mut arguments = [a, b, c, std::ptr::from_mut(&mut number).cast()];
        let (threads, shared) = (kernel.threads as c_uint, kernel.shared_bytes as c_uint);
        // SAFETY: the caller's word for kernel and buffers; the arguments are read before the call returns.
        let code = unsafe {
            (self.device.functions().launch)(
                kernel.function,
                blocks as c_uint,
                1,
                1,
                threads,
                1,
                1,
                shared,
                self.handle,
                arguments.as_mut_ptr(),
                std::ptr::null_mut(),
            )
        };
        Ok(self.device.check(code, "starting a kernel")?)
    }

    /// Copies the first bytes of host memory; both stay untouched until the stream was waited for.
    pub fn copy_to_device(&self, source: &HostBuffer, target: &DeviceBuffer, bytes: usize) -> NpuResult<()> {
        assert!(bytes <= source.len() && bytes <= target.len());
        // SAFETY: the line above.
        let code = unsafe {
            (self.device.functions().copy_to_device)(
                target.address(),
                source.pointer().cast_const(),
                bytes,
                self.handle,
            )
        };
        Ok(self.device.check(code, "copying to the GPU")?)
    }

    /// As [`copy_to_device`](Self::copy_to_device), the other way.
    pub fn copy_to_host(&self, source: &DeviceBuffer, target: &HostBuffer, bytes: usize) -> NpuResult<()> {
        assert!(bytes <= source.len() && bytes <= target.len());
        // SAFETY: the line above.
        let code =
            unsafe { (self.device.functions().copy_to_host)(target.pointer(), source.address(), bytes, self.handle) };
        Ok(self.device.check(code, "copying from the GPU")?)
    }

    /// Waits until all is done that was started.
    pub fn wait(&self) -> NpuResult<()> {
        // SAFETY: the stream is ours.
        Ok(self.device.check(unsafe { (self.device.functions().stream_wait)(self.handle) }, "waiting for the GPU")?)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.device.make_current().is_ok() {
            // SAFETY: the handle is ours. What it still does is waited for: its buffers are dropped after it.
            unsafe {
                (self.device.functions().stream_wait)(self.handle);
                (self.device.functions().stream_destroy)(self.handle);
            }
        }
    }
}
