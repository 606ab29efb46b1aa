//! From the kernel: `sysctl` and Mach's host statistics. Battery, temperature and GPU are read by the program above.

use std::ffi::CStr;
use std::mem::{size_of, MaybeUninit};
use std::ptr::null_mut;

use crate::Snapshot;

/// One look at the machine.
#[allow(deprecated)] // libc points to another crate for Mach's functions; these four are all that is needed.
pub fn read() -> Snapshot {
    let mut look = Snapshot {
        memory_total: sysctl(c"hw.memsize").unwrap_or(0),
        ..Snapshot::default()
    };
    // SAFETY: both calls get a buffer of the size that they are told, in the units that they count in.
    unsafe {
        let host = libc::mach_host_self();
        let mut cpu = MaybeUninit::<libc::host_cpu_load_info>::zeroed();
        let mut count =
            (size_of::<libc::host_cpu_load_info>() / size_of::<libc::integer_t>()) as u32;
        if libc::host_statistics64(
            host,
            libc::HOST_CPU_LOAD_INFO,
            cpu.as_mut_ptr().cast(),
            &raw mut count,
        ) == 0
        {
            let ticks = cpu.assume_init().cpu_ticks.map(u64::from);
            look.total_ticks = ticks.iter().sum();
            look.busy_ticks = look.total_ticks - ticks[libc::CPU_STATE_IDLE as usize];
        }
        let mut memory = MaybeUninit::<libc::vm_statistics64>::zeroed();
        let mut count = (size_of::<libc::vm_statistics64>() / size_of::<libc::integer_t>()) as u32;
        if libc::host_statistics64(
            host,
            libc::HOST_VM_INFO64,
            memory.as_mut_ptr().cast(),
            &raw mut count,
        ) == 0
        {
            let memory = memory.assume_init();
            let pages = u64::from(memory.free_count) + u64::from(memory.inactive_count);
            look.memory_available = pages * libc::sysconf(libc::_SC_PAGESIZE) as u64;
        }
        libc::getloadavg(look.load.as_mut_ptr(), 3);
    }
    look
}

fn sysctl(name: &CStr) -> Option<u64> {
    let mut value = 0_u64;
    let mut size = size_of::<u64>();
    // SAFETY: the value has the size that is told.
    let status = unsafe {
        libc::sysctlbyname(
            name.as_ptr(),
            (&raw mut value).cast(),
            &raw mut size,
            null_mut(),
            0,
        )
    };
    (status == 0).then_some(value)
}
