//! NVIDIA's driver library, loaded at run time: the few functions that scoring takes.
//!
//! (CUDA Driver API reference: names, types and result codes.) Handles are plain numbers or pointers of the driver's own;
//! each type here owns its handle and gives it back when it is dropped.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::{Arc, OnceLock};

use libloading::Library;

use super::NAME;
use crate::{NpuError, NpuResult};

pub(super) type Handle = *mut c_void;
/// An address in the device's memory.
pub(super) type Address = u64;
pub(super) type Code = c_int;

const SUCCESS: Code = 0;
const OUT_OF_MEMORY: Code = 2;
const COMPUTE_CAPABILITY_MAJOR: c_int = 75;
const MULTIPROCESSORS: c_int = 16;

/// Declares the table of functions and how it is filled: field, symbol, types of the arguments.
macro_rules! functions {
    ($($field:ident = $symbol:literal ($($argument:ty),*);)*) => {
        pub(super) struct Functions { $(pub $field: unsafe extern "system" fn($($argument),*) -> Code,)* }

        impl Functions {
            fn of(library: &Library) -> Result<Self, libloading::Error> {
                // SAFETY: the symbols have these types in every version of the driver's interface that has them.
                unsafe { Ok(Self { $($field: *library.get(concat!($symbol, "\0").as_bytes())?,)* }) }
            }
        }
    };
}

functions! {
    init = "cuInit"(c_uint);
    error_name = "cuGetErrorName"(Code, *mut *const c_char);
    device_count = "cuDeviceGetCount"(*mut c_int);
    device_attribute = "cuDeviceGetAttribute"(*mut c_int, c_int, c_int);
    device_name = "cuDeviceGetName"(*mut c_char, c_int, c_int);
    context_retain = "cuDevicePrimaryCtxRetain"(*mut Handle, c_int);
    context_release = "cuDevicePrimaryCtxRelease_v2"(c_int);
    context_set = "cuCtxSetCurrent"(Handle);
    module_load = "cuModuleLoadData"(*mut Handle, *const c_void);
    module_unload = "cuModuleUnload"(Handle);
    module_function = "cuModuleGetFunction"(*mut Handle, Handle, *const c_char);
    function_set = "cuFuncSetAttribute"(Handle, c_int, c_int);
    occupancy = "cuOccupancyMaxActiveBlocksPerMultiprocessor"(*mut c_int, Handle, c_int, usize);
    allocate = "cuMemAlloc_v2"(*mut Address, usize);
    free = "cuMemFree_v2"(Address);
    allocate_host = "cuMemHostAlloc"(*mut Handle, usize, c_uint);
    free_host = "cuMemFreeHost"(Handle);
    copy_to_device = "cuMemcpyHtoDAsync_v2"(Address, *const c_void, usize, Handle);
    copy_to_host = "cuMemcpyDtoHAsync_v2"(Handle, Address, usize, Handle);
    stream_create = "cuStreamCreate"(*mut Handle, c_uint);
    stream_wait = "cuStreamSynchronize"(Handle);
    stream_destroy = "cuStreamDestroy_v2"(Handle);
    launch = "cuLaunchKernel"(
        Handle, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, Handle, *mut *mut c_void, *mut *mut c_void
    );
}

/// The library, initialised; once a process.
struct Driver {
    functions: Functions,
    _library: Library,
}

impl Driver {
    /// # Errors
    /// Why there is none, in words.
    fn get() -> Result<&'static Driver, String> {
        static DRIVER: OnceLock<Result<Driver, String>> = OnceLock::new();
        DRIVER.get_or_init(Self::load).as_ref().map_err(Clone::clone)
    }

    fn load() -> Result<Driver, String> {
        let name = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };
        // SAFETY: the driver's library is the system's own, by its fixed name; its start-up code is meant for any process.
        let library = unsafe { Library::new(name) }.map_err(|_| format!("there is no {name}, NVIDIA's driver"))?;
        let functions = Functions::of(&library).map_err(|error| format!("{name} is too old: {error}"))?;
        let driver = Driver { functions, _library: library };
        // SAFETY: takes a number.
        driver.check(unsafe { (driver.functions.init)(0) }, "starting the driver").map_err(|error| error.words)?;
        Ok(driver)
    }

    pub fn check(&self, code: Code, what: &str) -> Result<(), Failure> {
        if code == SUCCESS {
            return Ok(());
        }
        let mut name: *const c_char = std::ptr::null();
        // SAFETY: the driver writes a pointer to a string of its own that lives for ever, or leaves null.
        let name = unsafe {
            (self.functions.error_name)(code, &raw mut name);
            if name.is_null() { "an unknown error".into() } else { CStr::from_ptr(name).to_string_lossy() }
        };
        Err(Failure { out_of_memory: code == OUT_OF_MEMORY, words: format!("{what}: {name} ({code})") })
    }
}

/// What the driver answered, in words.
#[derive(Debug)]
pub(super) struct Failure {
    out_of_memory: bool,
    words: String,
}

impl From<Failure> for NpuError {
    fn from(Failure { out_of_memory, words }: Failure) -> Self {
        match out_of_memory {
            true => NpuError::DeviceOutOfMemory { backend: NAME, why: words },
            false => {
                NpuError::InferenceFailed(format!("{NAME}: {words}; look at `nvidia-smi`, or choose another backend"))
            }
        }
    }
}

/// The first GPU, with a context that other libraries of this process share.
pub(super) struct Device {
    driver: &'static Driver,
    context: Handle,
    pub multiprocessors: usize,
}

// SAFETY: the driver's functions may be called from any thread; the context is a handle that `make_current` gives to a thread.
unsafe impl Send for Device {}
// SAFETY: as above.
unsafe impl Sync for Device {}

impl Device {
    /// Whether there is one, of any age.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn is_there() -> Result<(), String> {
        let driver = Driver::get()?;
        let mut count = 0;
        // SAFETY: writes one number.
        let code = unsafe { (driver.functions.device_count)(&raw mut count) };
        driver.check(code, "counting GPUs").map_err(|error| error.words)?;
        if count == 0 { Err("the driver finds no GPU".into()) } else { Ok(()) }
    }

    /// Its name, if there is one that can be used.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn find() -> Result<String, String> {
        Self::is_there()?;
        let driver = Driver::get()?;
        let functions = &driver.functions;
        let major = attribute(driver, COMPUTE_CAPABILITY_MAJOR).map_err(|error| error.words)?;
        let mut name = [0 as c_char; 256];
        // SAFETY: writes at most as many characters as it is told, the last of them 0.
        let code = unsafe { (functions.device_name)(name.as_mut_ptr(), name.len() as c_int, 0) };
        driver.check(code, "asking for the GPU's name").map_err(|error| error.words)?;
        // SAFETY: the driver has ended the string.
        let name = unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned();
        if major < 8 {
            return Err(format!("the GPU {name} is too old (compute capability {major}.x; 8.0 or newer is needed)"));
        }
        Ok(name)
    }

    pub fn open() -> NpuResult<Arc<Device>> {
        let refused =
            |why: String| NpuError::BackendNotAvailable { backend: NAME, why: format!("{why}; {}", super::INSTALL) };
        Self::find().map_err(refused)?;
        let driver = Driver::get().map_err(refused)?;
        let multiprocessors = attribute(driver, MULTIPROCESSORS)? as usize;
        let mut context = std::ptr::null_mut();
        // SAFETY: writes one handle.
        driver.check(unsafe { (driver.functions.context_retain)(&raw mut context, 0) }, "opening the GPU")?;
        Ok(Arc::new(Device { driver, context, multiprocessors }))
    }

    /// Has to be called by each thread before it uses anything of this device.
    pub fn make_current(&self) -> NpuResult<()> {
        // SAFETY: the context lives as long as `self`.
        Ok(self.check(unsafe { (self.functions().context_set)(self.context) }, "choosing the GPU")?)
    }

    pub fn functions(&self) -> &Functions {
        &self.driver.functions
    }

    pub fn check(&self, code: Code, what: &str) -> Result<(), Failure> {
        self.driver.check(code, what)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: gives back what `open` took; whatever lives in the context holds an `Arc` of `self`.
        unsafe { (self.functions().context_release)(0) };
    }
}

fn attribute(driver: &Driver, attribute: c_int) -> Result<c_int, Failure> {
    let mut value = 0;
    // SAFETY: writes one number.
    let code = unsafe { (driver.functions.device_attribute)(&raw mut value, attribute, 0) };
    driver.check(code, "asking what the GPU is").map(|()| value)
}
