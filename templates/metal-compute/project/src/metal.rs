//! On the GPU of a Mac, through Metal. The kernels are compiled by the driver when the program starts.

use std::collections::HashMap;
use std::ptr::NonNull;

use objc2::rc::Retained;
use objc2::runtime::ProtocolObject;
use objc2_foundation::NSString;
use objc2_metal::{
    MTLBuffer, MTLCommandBuffer, MTLCommandBufferStatus, MTLCommandEncoder, MTLCommandQueue,
    MTLComputeCommandEncoder, MTLComputePipelineState, MTLCreateSystemDefaultDevice, MTLDevice,
    MTLLibrary, MTLResourceOptions, MTLSize,
};

use crate::{Backend, Error, Shape};

const SOURCES: [&str; 3] = [
    include_str!("../kernels/reduce.metal"),
    include_str!("../kernels/map.metal"),
    include_str!("../kernels/matmul.metal"),
];
const KERNELS: [(&str, usize); 4] = [
    ("sum_f32", 0),
    ("axpy_f32", 1),
    ("relu_f32", 1),
    ("matmul_f32", 2),
];
const GROUP: usize = 256;
const MOST_GROUPS: usize = 256;
const TILE: usize = 16;

type Object<T> = Retained<ProtocolObject<T>>;
type Buffer = Object<dyn MTLBuffer>;

pub struct Metal {
    device: Object<dyn MTLDevice>,
    queue: Object<dyn MTLCommandQueue>,
    kernels: HashMap<&'static str, Object<dyn MTLComputePipelineState>>,
}

// SAFETY: Metal's devices, queues and pipelines may be used from any thread; command buffers stay in one call.
unsafe impl Send for Metal {}
unsafe impl Sync for Metal {}

impl Metal {
    /// The default GPU with its kernels compiled. An error where there is none, or a kernel does not compile.
    pub fn new() -> Result<Self, Error> {
        let device = MTLCreateSystemDefaultDevice().ok_or_else(|| lacking("no device"))?;
        let queue = device
            .newCommandQueue()
            .ok_or_else(|| lacking("no command queue"))?;
        let compile = |source: &&str| {
            let source = NSString::from_str(source);
            let library = device.newLibraryWithSource_options_error(&source, None);
            library.map_err(|error| lacking(&error.localizedDescription().to_string()))
        };
        let libraries = SOURCES.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        let mut kernels = HashMap::new();
        for (name, library) in KERNELS {
            let function = libraries[library].newFunctionWithName(&NSString::from_str(name));
            let function = function.ok_or_else(|| lacking(&format!("no kernel {name}")))?;
            let pipeline = device.newComputePipelineStateWithFunction_error(&function);
            let pipeline =
                pipeline.map_err(|error| lacking(&error.localizedDescription().to_string()))?;
            kernels.insert(name, pipeline);
        }
        Ok(Self {
            device,
            queue,
            kernels,
        })
    }

    fn upload(&self, values: &[f32]) -> Result<Buffer, Error> {
        if values.is_empty() {
            return self.room(1);
        }
        let bytes = NonNull::from(values).cast();
        // SAFETY: the pointer is to that many bytes, which are copied at once.
        let buffer = unsafe {
            self.device.newBufferWithBytes_length_options(
                bytes,
                size_of_val(values),
                MTLResourceOptions::StorageModeShared,
            )
        };
        buffer.ok_or_else(|| lacking("no memory"))
    }

    fn room(&self, count: usize) -> Result<Buffer, Error> {
        let size = count.max(1) * size_of::<f32>();
        let buffer = self
            .device
            .newBufferWithLength_options(size, MTLResourceOptions::StorageModeShared);
        buffer.ok_or_else(|| lacking("no memory"))
    }

    /// Run a kernel to its end: its buffers, then its constants, in the order of its parameters.
    fn launch(
        &self,
        kernel: &str,
        buffers: &[&Buffer],
        constants: &[&[u8]],
        groups: (usize, usize),
        group: (usize, usize),
    ) -> Result<(), Error> {
        let command = self
            .queue
            .commandBuffer()
            .ok_or_else(|| lacking("no command buffer"))?;
        let encoder = command
            .computeCommandEncoder()
            .ok_or_else(|| lacking("no encoder"))?;
        encoder.setComputePipelineState(&self.kernels[kernel]);
        // SAFETY: every buffer holds what the kernel reads and writes, and outlives the command, which is
        // waited for; constants are copied.
        unsafe {
            for (index, buffer) in buffers.iter().enumerate() {
                encoder.setBuffer_offset_atIndex(Some(buffer), 0, index);
            }
            for (index, constant) in constants.iter().enumerate() {
                let bytes = NonNull::from(*constant).cast();
                encoder.setBytes_length_atIndex(bytes, constant.len(), buffers.len() + index);
            }
        }
        let size = |(width, height)| MTLSize {
            width,
            height,
            depth: 1,
        };
        encoder.dispatchThreadgroups_threadsPerThreadgroup(size(groups), size(group));
        encoder.endEncoding();
        command.commit();
        command.waitUntilCompleted();
        if command.status() == MTLCommandBufferStatus::Error {
            let error = command
                .error()
                .map(|error| error.localizedDescription().to_string());
            return Err(lacking(
                &error.unwrap_or_else(|| "it does not say why".into()),
            ));
        }
        Ok(())
    }
}

impl Backend for Metal {
    fn name(&self) -> String {
        self.device.name().to_string()
    }

    fn sum(&self, values: &[f32]) -> Result<f32, Error> {
        let length = count(values)?;
        let groups = values.len().div_ceil(GROUP).clamp(1, MOST_GROUPS);
        let (given, out) = (self.upload(values)?, self.room(groups)?);
        self.launch(
            "sum_f32",
            &[&given, &out],
            &[&length],
            (groups, 1),
            (GROUP, 1),
        )?;
        Ok(download(&out, groups)
            .iter()
            .map(|part| f64::from(*part))
            .sum::<f64>() as f32)
    }

    fn axpy(&self, a: f32, x: &[f32], y: &mut [f32]) -> Result<(), Error> {
        if x.len() != y.len() {
            return Err(Error::Shape);
        }
        let length = count(x)?;
        let (given, out) = (self.upload(x)?, self.upload(y)?);
        let groups = (x.len().div_ceil(GROUP).max(1), 1);
        self.launch(
            "axpy_f32",
            &[&given, &out],
            &[&length, &a.to_ne_bytes()],
            groups,
            (GROUP, 1),
        )?;
        y.copy_from_slice(&download(&out, y.len()));
        Ok(())
    }

    fn relu(&self, values: &[f32]) -> Result<Vec<f32>, Error> {
        let length = count(values)?;
        let (given, out) = (self.upload(values)?, self.room(values.len())?);
        let groups = (values.len().div_ceil(GROUP).max(1), 1);
        self.launch("relu_f32", &[&given, &out], &[&length], groups, (GROUP, 1))?;
        Ok(download(&out, values.len()))
    }

    fn matmul(&self, a: &[f32], b: &[f32], shape: Shape) -> Result<Vec<f32>, Error> {
        shape.check(a, b)?;
        let (m, k, n) = (shape.m, shape.k, shape.n);
        if m * n == 0 {
            return Ok(Vec::new());
        }
        // A uint3 takes the room of four numbers.
        let mut constant = [0; 16];
        for (place, number) in [m, k, n].into_iter().enumerate() {
            let number = u32::try_from(number).map_err(|_| Error::TooLarge)?;
            constant[4 * place..4 * place + 4].copy_from_slice(&number.to_ne_bytes());
        }
        let (left, right, out) = (self.upload(a)?, self.upload(b)?, self.room(m * n)?);
        let groups = (n.div_ceil(TILE), m.div_ceil(TILE));
        self.launch(
            "matmul_f32",
            &[&left, &right, &out],
            &[&constant],
            groups,
            (TILE, TILE),
        )?;
        Ok(download(&out, m * n))
    }
}

fn count(values: &[f32]) -> Result<[u8; 4], Error> {
    u32::try_from(values.len())
        .map(u32::to_ne_bytes)
        .map_err(|_| Error::TooLarge)
}

fn download(buffer: &Buffer, count: usize) -> Vec<f32> {
    // SAFETY: the buffer holds at least that many numbers, and the GPU is done with it.
    unsafe { std::slice::from_raw_parts(buffer.contents().as_ptr().cast::<f32>(), count) }.to_vec()
}

fn lacking(what: &str) -> Error {
    Error::Gpu(what.to_owned())
}
