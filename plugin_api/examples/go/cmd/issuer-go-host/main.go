// A small host in Go: loads a plugin, runs one instance, prints what happens, and ends after so many events or on
// Ctrl-C. With a second build it swaps to that one and back after each renewal.
//
//	issuer-go-host PLUGIN.so CONFIG_JSON [EVENTS [OTHER_PLUGIN.so]]
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"example.org/issuer/issuer"
)

// printer prints events and tells main of each whether it is a renewal.
type printer chan bool

func (p printer) Record(event issuer.Event) {
	kind := "state"
	switch {
	case event.Renewal:
		kind = "renewal"
	case event.Login:
		kind = "login"
	}
	fmt.Printf("%s state=%s result=%s reason=%d ttl_ms=%d %s\n", kind, event.State, event.Result, event.Reason,
		event.TTL.Milliseconds(), event.Detail)
	p <- event.Renewal // never blocks for long: main takes them faster than a credential is renewed
}

func show(level int, component, text string) {
	if level >= 1 && component != "events" {
		fmt.Fprintf(os.Stderr, "%s: %s\n", component, text)
	}
}

// closing calls close, and tells its error unless there is one before it.
func closing(close func() error, err *error) {
	if failed := close(); *err == nil {
		*err = failed
	}
}

// run runs one instance of builds[0] until limit events were seen (0: for ever), or until Ctrl-C.
func run(builds []*issuer.Plugin, config string, limit int) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Println("plugin", builds[0].ID(), builds[0].Version())
	instance, err := issuer.New(builds[0], config, issuer.LoggerFunc(show))
	if err != nil {
		return err
	}
	defer closing(instance.Close, &err)
	news := make(printer, 1000)
	if err := instance.SetRecorder(news); err != nil {
		return err
	}
	if err := instance.Start(ctx); err != nil {
		return err
	}
	for seen := 0; limit == 0 || seen < limit; seen++ {
		select {
		case renewed := <-news:
			if renewed && len(builds) == 2 {
				builds[0], builds[1] = builds[1], builds[0]
				if err := instance.Swap(builds[0]); err != nil {
					return err
				}
				fmt.Println("swapped to", builds[0].Version())
			}
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// runPlugins loads the plugins at paths, and closes them when the instance is gone.
func runPlugins(paths []string, config string, limit int) (err error) {
	var builds []*issuer.Plugin
	for _, path := range paths {
		plugin, failed := issuer.Load(path)
		if failed != nil {
			return failed
		}
		defer closing(plugin.Close, &err)
		builds = append(builds, plugin)
	}
	return run(builds, config, limit)
}

func main() {
	arguments := os.Args[1:]
	if len(arguments) < 2 || len(arguments) > 4 {
		fmt.Fprintln(os.Stderr, "usage: issuer-go-host PLUGIN.so CONFIG_JSON [EVENTS [OTHER_PLUGIN.so]]")
		os.Exit(2)
	}
	limit, paths := 0, arguments[:1]
	if len(arguments) > 2 {
		limit, _ = strconv.Atoi(arguments[2])
		paths = append([]string{paths[0]}, arguments[3:]...)
	}
	if err := runPlugins(paths, arguments[1], limit); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
