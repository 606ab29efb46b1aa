//! Apple's own API: a library of kernels, buffers, launches. Kernels run in the order of their launches.

use std::collections::HashMap;
use std::ffi::c_void;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use objc2::rc::{autoreleasepool, Retained};
use objc2::runtime::{NSObjectProtocol, ProtocolObject};
use objc2::sel;
use objc2_foundation::{NSError, NSString, NSURL};
use objc2_metal::{
    MTLBuffer, MTLCommandBuffer, MTLCommandEncoder, MTLCommandQueue, MTLCompileOptions,
    MTLComputeCommandEncoder, MTLComputePipelineState, MTLCreateSystemDefaultDevice, MTLDevice,
    MTLLibrary, MTLMathMode, MTLResourceOptions, MTLSize,
};

type Pipeline = Retained<ProtocolObject<dyn MTLComputePipelineState>>;
type Commands = Retained<ProtocolObject<dyn MTLCommandBuffer>>;

/// Why something could not be done, under the code by which Python knows it.
#[derive(Debug)]
pub struct Error {
    pub code: &'static str,
    pub message: String,
}

impl Error {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    fn refused(what: &str, error: &NSError) -> Self {
        let why = error.localizedDescription();
        Self::new(
            "kernels_refused",
            format!("Metal did not take {what}: {why}"),
        )
    }
}

/// Where the kernels come from.
pub enum Source<'s> {
    /// What Apple's compiler made.
    Library(&'s Path),
    /// MSL, which the driver compiles.
    Text(&'s str),
}

/// Memory that the CPU and the GPU share.
pub struct Buffer {
    raw: Retained<ProtocolObject<dyn MTLBuffer>>,
    bytes: usize,
}

// SAFETY: Metal's objects may be used from any thread, and their reference counts are atomic; a buffer's content is
// only touched by `Device`, after the GPU has done with it.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

/// What a kernel is handed at an index.
pub enum Argument<'a> {
    Buffer(&'a Buffer),
    Constant(&'a [u8]),
}

/// What was launched and not waited for, and what the GPU took for the rest, in seconds.
#[derive(Default)]
struct Running {
    commands: Vec<Commands>,
    gpu_seconds: f64,
}

// SAFETY: a command buffer that is committed is only waited for and asked, which any thread may do.
unsafe impl Send for Running {}

pub struct Device {
    gpu: Retained<ProtocolObject<dyn MTLDevice>>,
    queue: Retained<ProtocolObject<dyn MTLCommandQueue>>,
    library: Retained<ProtocolObject<dyn MTLLibrary>>,
    pipelines: Mutex<HashMap<String, Pipeline>>,
    running: Mutex<Running>,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Device {
    /// Whether there is a GPU.
    pub fn is_there() -> bool {
        autoreleasepool(|_| MTLCreateSystemDefaultDevice().is_some())
    }

    pub fn new(source: &Source<'_>) -> Result<Self, Error> {
        autoreleasepool(|_| {
            let none = || Error::new("backend_missing", "There is no Metal device");
            let device = MTLCreateSystemDefaultDevice().ok_or_else(none)?;
            let queue = device.newCommandQueue().ok_or_else(none)?;
            let library = load(&device, source)?;
            Ok(Self {
                gpu: device,
                queue,
                library,
                pipelines: Mutex::default(),
                running: Mutex::default(),
            })
        })
    }

    /// A buffer with these bytes.
    pub fn upload(&self, data: &[u8]) -> Result<Buffer, Error> {
        let Some(first) = data.first() else {
            return self.allocate(0);
        };
        let shared = MTLResourceOptions::StorageModeShared;
        // SAFETY: the pointer is good for as many bytes, which Metal copies before it returns.
        let made = unsafe {
            let from = NonNull::from(first).cast::<c_void>();
            self.gpu
                .newBufferWithBytes_length_options(from, data.len(), shared)
        };
        buffer(made, data.len())
    }

    /// A buffer of zeros; Metal has none of no bytes, so that it has one at least.
    pub fn allocate(&self, bytes: usize) -> Result<Buffer, Error> {
        let shared = MTLResourceOptions::StorageModeShared;
        let made = self.gpu.newBufferWithLength_options(bytes.max(1), shared);
        buffer(made, bytes)
    }

    /// Start a kernel over `groups` threadgroups of `size` threads; arguments come with their indices.
    pub fn launch(
        &self,
        kernel: &str,
        arguments: &[(usize, Argument<'_>)],
        groups: [usize; 3],
        size: usize,
    ) -> Result<(), Error> {
        autoreleasepool(|_| {
            let pipeline = self.pipeline(kernel)?;
            let most = pipeline.maxTotalThreadsPerThreadgroup();
            if size > most {
                let message = format!("{kernel} has {most} threads at most here, and needs {size}");
                return Err(Error::new("gpu_too_small", message));
            }
            let failed = || Error::new("gpu_failed", "The GPU takes no more commands");
            let commands = self.queue.commandBuffer().ok_or_else(failed)?;
            let encoder = commands.computeCommandEncoder().ok_or_else(failed)?;
            encoder.setComputePipelineState(&pipeline);
            for (index, argument) in arguments {
                // SAFETY: buffers live until the command buffer is done, which holds them; constants are copied.
                unsafe {
                    match argument {
                        Argument::Buffer(one) => {
                            encoder.setBuffer_offset_atIndex(Some(&one.raw), 0, *index);
                        }
                        Argument::Constant(value) => {
                            let from = NonNull::from(*value).cast::<c_void>();
                            encoder.setBytes_length_atIndex(from, value.len(), *index);
                        }
                    }
                }
            }
            let extent = |[width, height, depth]: [usize; 3]| MTLSize {
                width,
                height,
                depth,
            };
            encoder
                .dispatchThreadgroups_threadsPerThreadgroup(extent(groups), extent([size, 1, 1]));
            encoder.endEncoding();
            commands.commit();
            held(&self.running).commands.push(commands);
            Ok(())
        })
    }

    /// The buffer's first bytes, once everything that was launched is done.
    pub fn download(&self, from: &Buffer, out: &mut [u8]) -> Result<(), Error> {
        self.wait()?;
        if out.len() > from.bytes {
            let message = format!("{} bytes of a buffer of {}", out.len(), from.bytes);
            return Err(Error::new("gpu_failed", message));
        }
        // SAFETY: the buffer has as many bytes, and the GPU has done with it.
        unsafe {
            let content = from.raw.contents().cast::<u8>().as_ptr();
            std::ptr::copy_nonoverlapping(content, out.as_mut_ptr(), out.len());
        }
        Ok(())
    }

    /// Until everything that was launched is done.
    pub fn wait(&self) -> Result<(), Error> {
        let commands = std::mem::take(&mut held(&self.running).commands);
        autoreleasepool(|_| {
            for one in commands {
                one.waitUntilCompleted();
                if let Some(error) = one.error() {
                    let message = format!("The GPU gave up: {}", error.localizedDescription());
                    return Err(Error::new("gpu_failed", message));
                }
                held(&self.running).gpu_seconds += one.GPUEndTime() - one.GPUStartTime();
            }
            Ok(())
        })
    }

    /// What the kernels took on the GPU, of those that were waited for.
    pub fn gpu_seconds(&self) -> f64 {
        held(&self.running).gpu_seconds
    }

    fn pipeline(&self, name: &str) -> Result<Pipeline, Error> {
        let mut known = held(&self.pipelines);
        if let Some(pipeline) = known.get(name) {
            return Ok(pipeline.clone());
        }
        let function = self
            .library
            .newFunctionWithName(&NSString::from_str(name))
            .ok_or_else(|| Error::new("kernels_old", format!("The built library has no {name}")))?;
        let made = self
            .gpu
            .newComputePipelineStateWithFunction_error(&function)
            .map_err(|error| Error::refused(&format!("the kernel {name}"), &error))?;
        known.insert(name.to_owned(), made.clone());
        Ok(made)
    }
}

fn buffer(
    made: Option<Retained<ProtocolObject<dyn MTLBuffer>>>,
    bytes: usize,
) -> Result<Buffer, Error> {
    made.map(|raw| Buffer { raw, bytes })
        .ok_or_else(|| Error::new("gpu_failed", format!("The GPU has no {bytes} bytes left")))
}

fn load(
    device: &ProtocolObject<dyn MTLDevice>,
    source: &Source<'_>,
) -> Result<Retained<ProtocolObject<dyn MTLLibrary>>, Error> {
    let made = match source {
        Source::Library(path) => {
            let url = NSURL::fileURLWithPath(&NSString::from_str(&path.to_string_lossy()));
            device.newLibraryWithURL_error(&url)
        }
        Source::Text(text) => {
            let options = MTLCompileOptions::new();
            // Compensated sums need additions in the order in which they are written.
            if options.respondsToSelector(sel!(setMathMode:)) {
                options.setMathMode(MTLMathMode::Safe);
            } else {
                #[allow(deprecated)] // all that there is before macOS 15
                options.setFastMathEnabled(false);
            }
            device.newLibraryWithSource_options_error(&NSString::from_str(text), Some(&options))
        }
    };
    made.map_err(|error| Error::refused("the kernels", &error))
}
