// A small host in Go: loads a plugin, runs one instance, prints what happens, and ends after so many events or on
// Ctrl-C.
//
//	issuer-go-host PLUGIN.so CONFIG_JSON [EVENTS]
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

// printer prints events and closes `enough` after `limit` of them; 0: never.
type printer struct {
	seen, limit int
	enough      chan struct{}
}

func (p *printer) Record(event issuer.Event) {
	kind := "state"
	if event.Renewal {
		kind = "renewal"
	}
	fmt.Printf("%s state=%s result=%s reason=%d ttl_ms=%d %s\n", kind, event.State, event.Result, event.Reason,
		event.TTL.Milliseconds(), event.Detail)
	if p.seen++; p.seen == p.limit {
		close(p.enough)
	}
}

func show(level int, component, text string) {
	if level >= 1 && component != "events" {
		fmt.Fprintf(os.Stderr, "%s: %s\n", component, text)
	}
}

func run(path, config string, limit int) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	plugin, err := issuer.Load(path)
	if err != nil {
		return err
	}
	fmt.Println("plugin", plugin.ID(), plugin.Version())
	instance, err := issuer.New(plugin, config, issuer.LoggerFunc(show))
	if err != nil {
		return err
	}
	defer func() {
		if closing := instance.Close(); err == nil {
			err = closing
		}
		if closing := plugin.Close(); err == nil {
			err = closing
		}
	}()
	enough := make(chan struct{})
	if err := instance.SetRecorder(&printer{limit: limit, enough: enough}); err != nil {
		return err
	}
	if err := instance.Start(ctx); err != nil {
		return err
	}
	select {
	case <-enough:
	case <-ctx.Done():
	}
	return nil
}

func main() {
	if len(os.Args) != 3 && len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: issuer-go-host PLUGIN.so CONFIG_JSON [EVENTS]")
		os.Exit(2)
	}
	limit := 0
	if len(os.Args) == 4 {
		limit, _ = strconv.Atoi(os.Args[3])
	}
	if err := run(os.Args[1], os.Args[2], limit); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
