//! Memory of the device, and of the host where the device can copy it by itself.

use std::sync::Arc;

use super::driver::{Address, Device, Handle};
use super::stream::Stream;
use crate::NpuResult;

/// Memory of the device.
pub(super) struct DeviceBuffer {
    address: Address,
    bytes: usize,
    device: Arc<Device>,
}

impl DeviceBuffer {
    pub fn new(device: &Arc<Device>, bytes: usize) -> NpuResult<Self> {
        let mut address = 0;
        // SAFETY: writes one address.
        let code = unsafe { (device.functions().allocate)(&raw mut address, bytes) };
        device.check(code, "taking memory of the GPU")?;
        Ok(Self { address, bytes, device: Arc::clone(device) })
    }

    pub fn address(&self) -> Address {
        self.address
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Memory with this content.
    pub fn with_content(device: &Arc<Device>, stream: &Stream, content: &[u8]) -> NpuResult<Self> {
        let buffer = Self::new(device, content.len())?;
        let mut host = HostBuffer::new(device, content.len())?;
        host.bytes_mut().copy_from_slice(content);
        stream.copy_to_device(&host, &buffer, content.len())?;
        stream.wait()?;
        Ok(buffer)
    }
}

impl Drop for DeviceBuffer {
    fn drop(&mut self) {
        if self.device.make_current().is_ok() {
            // SAFETY: the memory is ours, and streams that use it were waited for before.
            unsafe { (self.device.functions().free)(self.address) };
        }
    }
}

/// Memory of the host that stays in place, so that the device copies it by itself.
pub(super) struct HostBuffer {
    pointer: Handle,
    bytes: usize,
    device: Arc<Device>,
}

// SAFETY: memory that only its owner uses.
unsafe impl Send for HostBuffer {}

impl HostBuffer {
    pub fn new(device: &Arc<Device>, bytes: usize) -> NpuResult<Self> {
        let mut pointer = std::ptr::null_mut();
        // SAFETY: writes one pointer.
        let code = unsafe { (device.functions().allocate_host)(&raw mut pointer, bytes, 0) };
        device.check(code, "taking page-locked memory")?;
        // SAFETY: that much was taken; from here on it is initialised.
        unsafe { std::ptr::write_bytes(pointer.cast::<u8>(), 0, bytes) };
        Ok(Self { pointer, bytes, device: Arc::clone(device) })
    }

    pub fn pointer(&self) -> Handle {
        self.pointer
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.bytes
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `new` took and initialised that much; the caller has waited for the stream that writes it.
        unsafe { std::slice::from_raw_parts(self.pointer.cast(), self.bytes) }
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `self` is borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.cast(), self.bytes) }
    }
}

impl Drop for HostBuffer {
    fn drop(&mut self) {
        if self.device.make_current().is_ok() {
            // SAFETY: as for the device's memory.
            unsafe { (self.device.functions().free_host)(self.pointer) };
        }
    }
}
