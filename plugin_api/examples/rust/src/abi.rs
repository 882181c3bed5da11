//! The contract's structs, as `issuer/lifecycle.h`, `issuer/handover.h` and `issuer/secrets.h` have them.
#![allow(missing_docs)]

use std::ffi::c_void;
use std::mem::size_of;
use std::os::raw::c_char;

pub const MAJOR: u16 = 1;
pub const MINOR: u16 = 1;
pub const OK: i32 = 0;
pub const E_TIMEOUT: i32 = 4;
pub const EVENT_RENEWAL: i32 = 1;
pub const EVENT_STATE: i32 = 2;
pub const EVENT_LOGIN: i32 = 3;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    pub ptr: *const c_char,
    pub len: usize,
}

impl Str {
    pub fn of(text: &str) -> Str {
        Str { ptr: text.as_ptr().cast(), len: text.len() }
    }

    /// # Safety
    /// The bytes must be readable.
    pub unsafe fn copy(self) -> String {
        if self.len == 0 {
            return String::new();
        }
        String::from_utf8_lossy(std::slice::from_raw_parts(self.ptr.cast(), self.len)).into_owned()
    }
}

#[repr(C)]
pub struct Error {
    pub struct_size: u32,
    pub code: i32,
    pub message: [u8; 256],
}

#[repr(C)]
pub struct Event {
    pub struct_size: u32,
    pub kind: i32,
    pub result: i32,
    pub state: i32,
    pub reason: i32,
    pub attempt: u32,
    pub unix_ms: i64,
    pub ttl_ms: i64,
    pub expires_unix_ms: i64,
    pub next_unix_ms: i64,
    pub latency_us: u64,
    pub detail: Str,
}

#[repr(C)]
pub struct Recorder {
    pub struct_size: u32,
    pub reserved: u32,
    pub ctx: *mut c_void,
    pub record: extern "C" fn(*mut c_void, *const Event),
}

#[repr(C)]
pub struct Host {
    pub struct_size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub ctx: *mut c_void,
    pub log: extern "C" fn(*mut c_void, i32, Str, Str),
    pub get_extension: extern "C" fn(*mut c_void, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct Descriptor {
    pub struct_size: u32,
    pub flags: u32,
    pub id: *const c_char,
    pub name: *const c_char,
    pub version: *const c_char,
    pub config_schema: *const c_char,
}

pub type Instance = c_void;
pub type Slot<A> = Option<A>;

/// Slots are options here, so that a gap in the table can be seen.
#[repr(C)]
pub struct Lifecycle {
    pub struct_size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub descriptor: *const Descriptor,
    pub create: Slot<unsafe extern "C" fn(*const Host, Str, *mut *mut Instance, *mut Error) -> i32>,
    pub destroy: Slot<unsafe extern "C" fn(*mut Instance, *mut Error) -> i32>,
    pub start: Slot<unsafe extern "C" fn(*mut Instance, *mut Error) -> i32>,
    pub stop: Slot<unsafe extern "C" fn(*mut Instance, u32, *mut Error) -> i32>,
    pub set_recorder: Slot<unsafe extern "C" fn(*mut Instance, *const Recorder, *mut Error) -> i32>,
    pub get_extension: Slot<unsafe extern "C" fn(*const c_char) -> *const c_void>,
}

#[repr(C)]
pub struct Handover {
    pub struct_size: u32,
    pub reserved: u32,
    pub export_state: unsafe extern "C" fn(
        *mut Instance,
        extern "C" fn(*mut c_void, Str),
        *mut c_void,
        *mut Error,
    ) -> i32,
    pub import_state: unsafe extern "C" fn(*mut Instance, Str, *mut Error) -> i32,
}

#[repr(C)]
pub struct Secrets {
    pub struct_size: u32,
    pub reserved: u32,
    pub lend: unsafe extern "C" fn(
        *mut Instance,
        extern "C" fn(*mut c_void, Str),
        *mut c_void,
        *mut Error,
    ) -> i32,
    pub take: unsafe extern "C" fn(*mut Instance, Str, *mut Error) -> i32,
}

impl Lifecycle {
    /// Says why a host of this version cannot drive the table.
    pub fn complaint(&self) -> Option<&'static str> {
        if self.abi_major != MAJOR || (self.struct_size as usize) < size_of::<Lifecycle>() {
            return Some("speaks another version of the contract");
        }
        let whole = !self.descriptor.is_null()
            && self.create.is_some()
            && self.destroy.is_some()
            && self.start.is_some()
            && self.stop.is_some()
            && self.set_recorder.is_some()
            && self.get_extension.is_some();
        if whole { None } else { Some("has a gap in its table") }
    }
}
