package issuer

// #include <issuer/lifecycle.h>
import "C"

import "runtime/cgo"

// Both are called on threads of the plugin. They copy and hand on.

//export issuerGoRecord
func issuerGoRecord(recorder C.uintptr_t, event *C.issuer_event) {
	if copied, known := eventOf(event); known {
		cgo.Handle(recorder).Value().(Recorder).Record(copied)
	}
}

//export issuerGoLog
func issuerGoLog(instance C.uintptr_t, level C.issuer_log_level, component, text C.issuer_str) {
	cgo.Handle(instance).Value().(Logger).Log(int(level), textOf(component), textOf(text))
}
