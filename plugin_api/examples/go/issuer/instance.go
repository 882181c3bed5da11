package issuer

import (
	"context"
	"errors"
	"fmt"
	"runtime/cgo"
	"sync"
)

// A Recorder is told every event, one at a time, on a thread of the plugin. Record must not block, and must not call
// the instance.
type Recorder interface {
	Record(Event)
}

// A RenewalRecorder counts renewal attempts by their result: "success", "failure" or "not_renewable". It is all that
// certctl's registry asks of the loop that renews.
type RenewalRecorder interface {
	RecordRenewal(result string)
}

// A Logger gets lines for people, at levels 0 (debug) to 3 (error). Safe for concurrent use; must not block.
type Logger interface {
	Log(level int, component, text string)
}

// LoggerFunc makes a Logger of a function.
type LoggerFunc func(level int, component, text string)

// Log calls the function.
func (f LoggerFunc) Log(level int, component, text string) { f(level, component, text) }

// RecorderFunc makes a Recorder of a function.
type RecorderFunc func(Event)

// Record calls the function.
func (f RecorderFunc) Record(event Event) { f(event) }

// ErrClosed is the answer of an instance after Close.
var ErrClosed = errors.New("the instance is closed")

// An Instance keeps one issuer's credential alive. Safe for concurrent use.
type Instance struct {
	config string
	logger cgo.Handle

	// The contract wants control calls one at a time, except a stop while start waits.
	mutex    sync.Mutex
	changed  *sync.Cond
	busy     bool // a control call is under way
	starting bool // it is start
	stopping bool // a stop is
	closed   bool
	current  *running // valid until closed
	recorder cgo.Handle
}

// New makes an instance of plugin from its JSON configuration. It opens nothing and does nothing until Start.
func New(plugin *Plugin, config string, logger Logger) (*Instance, error) {
	instance := &Instance{config: config, logger: cgo.NewHandle(logger)}
	instance.changed = sync.NewCond(&instance.mutex)
	made, err := create(plugin, config, instance.logger)
	if err != nil {
		instance.logger.Delete()
		return nil, err
	}
	instance.current = made
	return instance, nil
}

// enter waits until this control call may be made; a stop may be made while start waits.
func (i *Instance) enter(isStop, isStart bool) error {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	for i.stopping || (i.busy && !(isStop && i.starting)) {
		i.changed.Wait()
	}
	if i.closed {
		return ErrClosed
	}
	if isStop {
		i.stopping = true
	} else {
		i.busy, i.starting = true, isStart
	}
	return nil
}

func (i *Instance) leave(isStop bool) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if isStop {
		i.stopping = false
	} else {
		i.busy, i.starting = false, false
	}
	i.changed.Broadcast()
}

// SetRecorder replaces the recorder; nil records nothing. On return the one before is not running and is never called
// again.
func (i *Instance) SetRecorder(recorder Recorder) error {
	if err := i.enter(false, false); err != nil {
		return err
	}
	defer i.leave(false)
	var handle cgo.Handle
	if recorder != nil {
		handle = cgo.NewHandle(recorder)
	}
	if err := i.current.setRecorder(handle); err != nil {
		if handle != 0 {
			handle.Delete()
		}
		return err
	}
	if i.recorder != 0 {
		i.recorder.Delete()
	}
	i.recorder = handle
	return nil
}

// SetRenewalRecorder records the results of renewal attempts alone.
func (i *Instance) SetRenewalRecorder(recorder RenewalRecorder) error {
	return i.SetRecorder(RecorderFunc(func(event Event) {
		if event.Renewal {
			recorder.RecordRenewal(event.Result.String())
		}
	}))
}

// Start begins to keep the credential alive. It may wait for the first look-up, as the configuration says; when ctx
// ends meanwhile, the instance is stopped. No effect on one that runs; works again after Stop.
func (i *Instance) Start(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := i.enter(false, true); err != nil {
		return err
	}
	defer i.leave(false)
	done, watched := make(chan struct{}), make(chan error, 1)
	go func() {
		select {
		case <-ctx.Done():
			watched <- i.Stop()
		case <-done:
			watched <- nil
		}
	}()
	err := i.current.start()
	close(done)
	if stopErr := <-watched; stopErr != nil {
		return fmt.Errorf("stopping after %v: %w", ctx.Err(), stopErr)
	}
	if ctx.Err() != nil && (err == nil || isCode(err, ErrCancelled)) {
		return ctx.Err()
	}
	return err
}

// Stop ends all work and waits for it: on return no code of the plugin runs for this instance, and no recorder is
// called. Safe to call at any time, any number of times, but not from inside a Recorder or Logger of this instance.
func (i *Instance) Stop() error {
	if err := i.enter(true, false); err != nil {
		return err
	}
	defer i.leave(true)
	return i.current.stop()
}

// Swap moves the instance to another build of its plugin, between two renewals: lease, counters and forecast are handed
// over. It begins the new one and returns with it running; a stopped instance runs afterwards, too. When the new build
// cannot take over, the old one goes on and the error says why.
func (i *Instance) Swap(next *Plugin) error {
	if err := i.enter(false, false); err != nil {
		return err
	}
	defer i.leave(false)
	candidate, err := create(next, i.config, i.logger)
	if err != nil {
		return err // the old one has noticed nothing
	}
	before := i.current
	if err := before.stop(); err != nil {
		return firstOf(err, candidate.destroy())
	}
	state, err := before.export()
	if err != nil {
		return firstOf(err, candidate.destroy(), before.start())
	}
	before.lendTo(candidate)
	if err := takeOver(candidate, state, i.recorder); err != nil {
		candidate.lendTo(before) // it may have used up what it was lent
		return firstOf(err, candidate.destroy(), before.start())
	}
	i.current = candidate
	return firstOf(before.setRecorder(0), before.destroy())
}

func takeOver(candidate *running, state string, recorder cgo.Handle) error {
	if state != "" {
		// Refused, it begins with a look-up: no reason to give up.
		_ = candidate.importFrom(state)
	}
	if err := candidate.setRecorder(recorder); err != nil {
		return err
	}
	return candidate.start()
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Close stops the instance and frees it. Every later call answers ErrClosed.
func (i *Instance) Close() error {
	if err := i.Stop(); err != nil {
		return err
	}
	if err := i.enter(false, false); err != nil {
		return err
	}
	defer i.leave(false)
	if err := i.current.destroy(); err != nil {
		return err
	}
	i.mutex.Lock()
	i.closed = true
	i.mutex.Unlock()
	if i.recorder != 0 {
		i.recorder.Delete()
	}
	i.logger.Delete()
	return nil
}
