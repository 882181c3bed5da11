package issuer

// #include "shim.h"
// #include <stdlib.h>
import "C"

import (
	"errors"
	"fmt"
	"runtime/cgo"
	"unsafe"
)

// running is one instance of one build of a plugin, as the contract has it. Not safe for concurrent use, except that
// stop may be called while start waits.
type running struct {
	plugin *Plugin
	host   *C.issuer_host
	self   *C.issuer_instance
}

func create(plugin *Plugin, config string, logger cgo.Handle) (*running, error) {
	host := C.issuer_go_host(C.uintptr_t(logger))
	if host == nil {
		return nil, errors.New("out of memory")
	}
	made := &running{plugin: plugin, host: host}
	text := C.CString(config)
	defer C.free(unsafe.Pointer(text))
	err := call(func(failed *C.issuer_error) C.issuer_rc {
		return C.issuer_go_create(
			plugin.library.table, host, C.issuer_str{text, C.size_t(len(config))}, &made.self, failed)
	})
	if err != nil {
		C.free(unsafe.Pointer(host))
		return nil, err
	}
	plugin.count(1)
	return made, nil
}

func (r *running) start() error {
	return call(func(failed *C.issuer_error) C.issuer_rc {
		return C.issuer_go_start(r.plugin.library.table, r.self, failed)
	})
}

// stop blocks until no code runs for the instance.
func (r *running) stop() error {
	for {
		err := call(func(failed *C.issuer_error) C.issuer_rc {
			return C.issuer_go_stop(r.plugin.library.table, r.self, 5000, failed)
		})
		if !isCode(err, ErrTimeout) {
			return err
		}
	}
}

// setRecorder returns once the recorder before is not running and will not be called any more.
func (r *running) setRecorder(recorder cgo.Handle) error {
	return call(func(failed *C.issuer_error) C.issuer_rc {
		return C.issuer_go_set_recorder(r.plugin.library.table, r.self, C.uintptr_t(recorder), failed)
	})
}

// export returns what a successor goes on from; empty when the plugin hands nothing over.
func (r *running) export() (string, error) {
	var text *C.char
	var length C.size_t
	err := call(func(failed *C.issuer_error) C.issuer_rc {
		return C.issuer_go_export(r.plugin.library.table, r.self, &text, &length, failed)
	})
	defer C.free(unsafe.Pointer(text))
	if isCode(err, errUnsupported) {
		return "", nil
	}
	return C.GoStringN(text, C.int(length)), err
}

func (r *running) importFrom(state string) error {
	text := C.CString(state)
	defer C.free(unsafe.Pointer(text))
	return call(func(failed *C.issuer_error) C.issuer_rc {
		return C.issuer_go_import(r.plugin.library.table, r.self, C.issuer_str{text, C.size_t(len(state))}, failed)
	})
}

// lendTo lends what the other instance cannot read again, within this call: Go holds no copy. Neither may run.
func (r *running) lendTo(other *running) {
	C.issuer_go_lend(r.plugin.library.table, r.self, other.plugin.library.table, other.self)
}

// destroy ends a stopped instance.
func (r *running) destroy() error {
	err := call(func(failed *C.issuer_error) C.issuer_rc {
		return C.issuer_go_destroy(r.plugin.library.table, r.self, failed)
	})
	if err != nil {
		return fmt.Errorf("an instance that has not stopped: %w", err)
	}
	C.free(unsafe.Pointer(r.host))
	r.plugin.count(-1)
	return nil
}
