//! Drives plugins of the `issuer_lifecycle` contract: loads them, runs instances of them, and swaps one build under a
//! running instance for another. Needs nothing but the standard library.

pub mod abi;

use std::ffi::{c_void, CStr, CString};
use std::fmt;
use std::mem::size_of;
use std::os::raw::{c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::time::Duration;

extern "C" {
    fn dlopen(path: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlclose(library: *mut c_void) -> c_int;
    fn dlerror() -> *const c_char;
}
const RTLD_NOW: c_int = 2; // and local, which is 0

/// A failure: a code of `lifecycle.h`, or 0 when the plugin was not asked, and a line for people.
#[derive(Debug)]
pub struct Error {
    pub code: i32,
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            0 => write!(out, "{}", self.message),
            code => write!(out, "error {code}: {}", self.message),
        }
    }
}

impl std::error::Error for Error {}

fn check(code: i32, error: &abi::Error) -> Result<(), Error> {
    if code == abi::OK {
        return Ok(());
    }
    let end = error.message.iter().position(|byte| *byte == 0).unwrap_or(error.message.len());
    Err(Error { code, message: String::from_utf8_lossy(&error.message[..end]).into_owned() })
}

fn no_error() -> abi::Error {
    abi::Error { struct_size: size_of::<abi::Error>() as u32, code: 0, message: [0; 256] }
}

/// A loaded library, unloaded with its last owner.
pub struct Plugin {
    library: *mut c_void,
    table: *const abi::Lifecycle,
}

// Its functions may be called from any thread.
unsafe impl Send for Plugin {}
unsafe impl Sync for Plugin {}

impl Plugin {
    /// Loads the library and checks its table before any code of the plugin runs.
    pub fn load(path: &Path) -> Result<Arc<Plugin>, Error> {
        let refuse = |why: String| Error { code: 0, message: format!("{}: {why}", path.display()) };
        let here = std::env::current_dir().map_err(|error| refuse(error.to_string()))?;
        let absolute = here.join(path); // a path without a slash would be searched for elsewhere
        let name = CString::new(absolute.as_os_str().as_bytes()).map_err(|error| refuse(error.to_string()))?;
        unsafe {
            let library = dlopen(name.as_ptr(), RTLD_NOW);
            if library.is_null() {
                return Err(refuse(CStr::from_ptr(dlerror()).to_string_lossy().into_owned()));
            }
            let table: *const abi::Lifecycle = dlsym(library, b"issuer_lifecycle_v1\0".as_ptr().cast()).cast();
            let complaint = match table.as_ref() {
                None => Some("exports no issuer_lifecycle_v1"),
                Some(table) => table.complaint(),
            };
            match complaint {
                None => Ok(Arc::new(Plugin { library, table })),
                Some(why) => {
                    dlclose(library);
                    Err(refuse(why.to_string()))
                }
            }
        }
    }

    fn table(&self) -> &abi::Lifecycle {
        unsafe { &*self.table }
    }

    /// The reverse-URI and the version of the plugin.
    pub fn about(&self) -> (String, String) {
        unsafe {
            let about = &*self.table().descriptor;
            let text = |text| CStr::from_ptr(text).to_string_lossy().into_owned();
            (text(about.id), text(about.version))
        }
    }

    fn handover(&self) -> Option<&abi::Handover> {
        unsafe {
            let table = (self.table().get_extension.unwrap())(b"issuer.handover/1\0".as_ptr().cast());
            table.cast::<abi::Handover>().as_ref()
        }
    }

    fn secrets(&self) -> Option<&abi::Secrets> {
        unsafe {
            let table = (self.table().get_extension.unwrap())(b"issuer.secrets/1\0".as_ptr().cast());
            table.cast::<abi::Secrets>().as_ref()
        }
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        unsafe { dlclose(self.library) };
    }
}

/// The calls of an instance to its host, on threads of the plugin. Neither function may block or call the instance.
pub trait Listener: Sync {
    /// Comes one at a time, in the order of the events.
    fn record(&self, event: &abi::Event);
    fn log(&self, level: i32, component: String, text: String);
}

/// The listener as the plugin knows it: a thin pointer to a fat one.
type Ctx<'a> = Box<&'a dyn Listener>;

extern "C" fn on_event(ctx: *mut c_void, event: *const abi::Event) {
    let (listener, event) = unsafe { (&*ctx.cast::<&dyn Listener>(), &*event) };
    if matches!(event.kind, abi::EVENT_RENEWAL | abi::EVENT_STATE | abi::EVENT_LOGIN) {
        listener.record(event); // others are of a later version
    }
}

extern "C" fn on_log(ctx: *mut c_void, level: i32, component: abi::Str, text: abi::Str) {
    let listener = unsafe { &*ctx.cast::<&dyn Listener>() };
    unsafe { listener.log(level, component.copy(), text.copy()) };
}

extern "C" fn no_extension(_: *mut c_void, _: *const c_char) -> *const c_void {
    null()
}

/// An instance that takes what another one lends.
struct Taker<'a> {
    secrets: &'a abi::Secrets,
    instance: *mut abi::Instance,
}

extern "C" fn take_secrets(taker: *mut c_void, secrets: abi::Str) {
    let taker = unsafe { &*taker.cast::<Taker>() };
    unsafe { (taker.secrets.take)(taker.instance, secrets, null_mut()) };
}

extern "C" fn take(text: *mut c_void, blob: abi::Str) {
    unsafe { *text.cast::<String>() = blob.copy() };
}

/// One instance of one build.
struct Running<'a> {
    plugin: Arc<Plugin>,
    instance: *mut abi::Instance,
    host: Box<abi::Host>, // at one place until destroy
    _ctx: Ctx<'a>,
}

impl<'a> Running<'a> {
    fn create(plugin: Arc<Plugin>, config: &str, listener: &'a dyn Listener) -> Result<Running<'a>, Error> {
        let mut ctx: Ctx<'a> = Box::new(listener);
        let host = Box::new(abi::Host {
            struct_size: size_of::<abi::Host>() as u32,
            abi_major: abi::MAJOR,
            abi_minor: abi::MINOR,
            ctx: (&mut *ctx as *mut &'a dyn Listener).cast(),
            log: on_log,
            get_extension: no_extension,
        });
        let mut running = Running { plugin, instance: null_mut(), host, _ctx: ctx };
        let mut error = no_error();
        let create = running.plugin.table().create.unwrap();
        let code = unsafe { create(&*running.host, abi::Str::of(config), &mut running.instance, &mut error) };
        check(code, &error)?;
        Ok(running)
    }

    fn listen(&mut self, wanted: bool) -> Result<(), Error> {
        let recorder = abi::Recorder {
            struct_size: size_of::<abi::Recorder>() as u32,
            reserved: 0,
            ctx: self.host.ctx,
            record: on_event,
        };
        let mut error = no_error();
        let set = self.plugin.table().set_recorder.unwrap();
        check(unsafe { set(self.instance, if wanted { &recorder } else { null() }, &mut error) }, &error)
    }

    fn start(&mut self) -> Result<(), Error> {
        let mut error = no_error();
        check(unsafe { (self.plugin.table().start.unwrap())(self.instance, &mut error) }, &error)
    }

    /// Blocks until no code runs for the instance.
    fn stop(&mut self) -> Result<(), Error> {
        loop {
            let mut error = no_error();
            let patience = Duration::from_secs(5).as_millis() as u32;
            let code = unsafe { (self.plugin.table().stop.unwrap())(self.instance, patience, &mut error) };
            if code != abi::E_TIMEOUT {
                return check(code, &error);
            }
        }
    }

    /// The state that a successor goes on from, where the plugin hands anything over.
    fn export(&mut self) -> Result<Option<String>, Error> {
        let handover = match self.plugin.handover() {
            Some(handover) => handover,
            None => return Ok(None),
        };
        let mut error = no_error();
        let mut text = String::new();
        let text_at: *mut String = &mut text;
        check(unsafe { (handover.export_state)(self.instance, take, text_at.cast(), &mut error) }, &error)?;
        Ok(Some(text))
    }

    /// Refused, the instance begins with a look-up: no error.
    fn import(&mut self, state: &str) {
        if let Some(handover) = self.plugin.handover() {
            unsafe { (handover.import_state)(self.instance, abi::Str::of(state), null_mut()) };
        }
    }
}

impl Running<'_> {
    /// Lends what the other one cannot read again, within this call: no copy is made here. Where nothing is lent or
    /// taken, the other one reads its own sources. Neither may run.
    fn lend_to(&mut self, other: &Running) {
        let (lender, taker) = (self.plugin.secrets(), other.plugin.secrets());
        if let (Some(lender), Some(secrets), true) = (lender, taker, self.plugin.about().0 == other.plugin.about().0) {
            let mut taker = Taker { secrets, instance: other.instance };
            let taker_at: *mut Taker = &mut taker;
            unsafe { (lender.lend)(self.instance, take_secrets, taker_at.cast(), null_mut()) };
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.instance.is_null() {
            let _ = self.stop();
            unsafe { (self.plugin.table().destroy.unwrap())(self.instance, null_mut()) };
        }
    }
}

/// Keeps one issuer's credential alive. Dropping it stops it.
pub struct Issuer<'a> {
    config: String,
    listener: &'a dyn Listener,
    current: Running<'a>,
}

impl<'a> Issuer<'a> {
    /// Makes an instance from its JSON configuration. It opens nothing and does nothing until start.
    pub fn new(plugin: Arc<Plugin>, config: &str, listener: &'a dyn Listener) -> Result<Issuer<'a>, Error> {
        let mut current = Running::create(plugin, config, listener)?;
        current.listen(true)?;
        Ok(Issuer { config: config.to_string(), listener, current })
    }

    /// Begins to keep the credential alive. May wait for the first look-up, as the configuration says.
    pub fn start(&mut self) -> Result<(), Error> {
        self.current.start()
    }

    /// Returns when no code of the plugin runs for it and nothing more will be heard.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.current.stop()
    }

    /// Moves it to another build of its plugin, between two renewals. Where that one cannot take over, the old one goes
    /// on and the error says why.
    pub fn swap(&mut self, next: Arc<Plugin>) -> Result<(), Error> {
        let mut candidate = Running::create(next, &self.config, self.listener)?;
        self.current.stop()?;
        let taken = self.current.export().and_then(|state| {
            if let Some(state) = state {
                candidate.import(&state);
            }
            self.current.lend_to(&candidate);
            candidate.listen(true)?;
            candidate.start()
        });
        if let Err(why) = taken {
            candidate.lend_to(&self.current); // it may have used up what it was lent
            self.current.start()?;
            return Err(why);
        }
        self.current.listen(false)?;
        self.current = candidate;
        Ok(())
    }
}
