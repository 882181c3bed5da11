package issuer

// #include <issuer/lifecycle.h>
import "C"

import "time"

// State of the credential. Values grow: one of a later version prints as "unknown".
type State int32

// Result of a renewal attempt: "success", "failure" or "not_renewable"; "-" of an event that is none.
type Result int32

var (
	stateNames = []string{"stopped", "starting", "active", "retrying", "capped", "not_renewable", "no_expiry",
		"denied", "expired"}
	resultNames = []string{"-", "success", "failure", "not_renewable"}
)

func nameOf(names []string, code int32) string {
	if code >= 0 && int(code) < len(names) {
		return names[code]
	}
	return "unknown"
}

func (s State) String() string  { return nameOf(stateNames, int32(s)) }
func (r Result) String() string { return nameOf(resultNames, int32(r)) }

// An Event tells what happened, when, and what comes next. Zero times and durations below zero are not known.
type Event struct {
	Renewal bool // a renewal attempt ended
	Login   bool // a login ended, or the forecast of the next one changed; neither: the state changed
	Result  Result
	State   State
	Reason  int32 // ISSUER_REASON_… of lifecycle.h
	Attempt uint32
	When    time.Time
	TTL     time.Duration
	Expires time.Time
	Next    time.Time
	Latency time.Duration
	Detail  string // one line for people, without secrets
}

func timeOf(unixMs C.int64_t) time.Time {
	if unixMs < 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(unixMs))
}

func eventOf(event *C.issuer_event) (Event, bool) {
	if event.kind < C.ISSUER_EVENT_RENEWAL || event.kind > C.ISSUER_EVENT_LOGIN {
		return Event{}, false // of a later version
	}
	return Event{
		Renewal: event.kind == C.ISSUER_EVENT_RENEWAL,
		Login:   event.kind == C.ISSUER_EVENT_LOGIN,
		Result:  Result(event.result),
		State:   State(event.state),
		Reason:  int32(event.reason),
		Attempt: uint32(event.attempt),
		When:    timeOf(event.unix_ms),
		TTL:     time.Duration(event.ttl_ms) * time.Millisecond,
		Expires: timeOf(event.expires_unix_ms),
		Next:    timeOf(event.next_unix_ms),
		Latency: time.Duration(event.latency_us) * time.Microsecond,
		Detail:  textOf(event.detail),
	}, true
}

func textOf(text C.issuer_str) string {
	return C.GoStringN(text.ptr, C.int(text.len))
}
