// Package issuer drives plugins of the issuer_lifecycle contract: it loads them, runs instances of them, and swaps one
// build under a running instance for another.
package issuer

// #cgo CFLAGS: -I${SRCDIR}/../../../include
// #cgo LDFLAGS: -ldl
// #include "shim.h"
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"path/filepath"
	"sync"
	"unsafe"
)

// A Plugin is a loaded library. Safe for concurrent use.
type Plugin struct {
	path    string
	library C.issuer_library

	mutex     sync.Mutex
	instances int
}

// Load loads the library at path and checks its table before any code of the plugin runs.
func Load(path string) (*Plugin, error) {
	path, err := filepath.Abs(path) // a path without a slash would be searched for elsewhere
	if err != nil {
		return nil, err
	}
	cPath := C.CString(path)
	defer C.free(unsafe.Pointer(cPath))
	plugin := &Plugin{path: path}
	var why [256]C.char
	if C.issuer_go_open(cPath, &plugin.library, &why[0]) == 0 {
		return nil, fmt.Errorf("plugin %s: %s", path, C.GoString(&why[0]))
	}
	return plugin, nil
}

// ID returns the reverse-URI that names the plugin across its versions.
func (p *Plugin) ID() string { return C.GoString(p.library.table.descriptor.id) }

// Version returns the plugin's version, for people and for paths.
func (p *Plugin) Version() string { return C.GoString(p.library.table.descriptor.version) }

// Close unloads the library. It fails while an instance of the plugin exists, and tells when something keeps the
// library mapped, which costs memory and nothing else.
func (p *Plugin) Close() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.instances > 0 {
		return fmt.Errorf("plugin %s: %d instances exist", p.path, p.instances)
	}
	cPath := C.CString(p.path)
	defer C.free(unsafe.Pointer(cPath))
	if C.issuer_go_close(cPath, p.library) == 0 {
		return fmt.Errorf("plugin %s: it stays mapped", p.path)
	}
	return nil
}

func (p *Plugin) count(change int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.instances += change
}

// An Error is what a plugin answered: a code of lifecycle.h (ISSUER_E_…) and a line for people.
type Error struct {
	Code    int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("error %d: %s", e.Code, e.Message) }

// Codes that callers tell apart.
const (
	ErrTimeout     = C.ISSUER_E_TIMEOUT
	ErrReentrant   = C.ISSUER_E_REENTRANT
	ErrUnavailable = C.ISSUER_E_UNAVAILABLE
	ErrCancelled   = C.ISSUER_E_CANCELLED
	errUnsupported = C.ISSUER_E_UNSUPPORTED
)

// call runs one slot and turns its code into an error.
func call(slot func(err *C.issuer_error) C.issuer_rc) error {
	failed := C.issuer_error{struct_size: C.sizeof_issuer_error}
	if code := slot(&failed); code != C.ISSUER_OK {
		return &Error{int(code), C.GoString(&failed.message[0])}
	}
	return nil
}

// isCode tells whether err is a plugin's answer of that code.
func isCode(err error, code int) bool {
	answer, ok := err.(*Error)
	return ok && answer.Code == code
}
