package issuer

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A fakeVault answers look-ups and renewals of one token.
type fakeVault struct {
	*httptest.Server
	lease     atomic.Int64 // seconds
	status    atomic.Int64 // of renewals
	renewable atomic.Bool
	logins    atomic.Int64
	lookUps   atomic.Int64
	renewals  atomic.Int64
}

const token = "hvs.tokenOfTheGoTests"

func newVault(t *testing.T, leaseSeconds int64) *fakeVault {
	vault := &fakeVault{}
	vault.lease.Store(leaseSeconds)
	vault.status.Store(http.StatusOK)
	vault.renewable.Store(true)
	vault.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, request *http.Request) {
		out.Header().Set("Content-Type", "application/json")
		if request.Method+" "+request.URL.Path == "POST /v1/auth/approle/login" {
			vault.logins.Add(1)
			fmt.Fprintf(out, `{"auth":{"client_token":%q,"lease_duration":%d,"renewable":true}}`, token, vault.lease.Load())
			return
		}
		if request.Header.Get("X-Vault-Token") != token {
			out.WriteHeader(http.StatusForbidden)
			fmt.Fprintln(out, `{"errors":["permission denied"]}`)
			return
		}
		switch request.Method + " " + request.URL.Path {
		case "GET /v1/auth/token/lookup-self":
			vault.lookUps.Add(1)
			fmt.Fprintf(out, `{"data":{"ttl":%d,"creation_ttl":%d,"renewable":%t,"num_uses":0,"type":"service",`+
				`"expire_time":"2100-01-01T00:00:00Z"}}`, vault.lease.Load(), vault.lease.Load(), vault.renewable.Load())
		case "POST /v1/auth/token/renew-self":
			vault.renewals.Add(1)
			if status := vault.status.Load(); status != http.StatusOK {
				out.WriteHeader(int(status))
				fmt.Fprintln(out, `{"errors":["internal error"]}`)
				return
			}
			fmt.Fprintf(out, `{"auth":{"client_token":%q,"lease_duration":%d,"renewable":%t}}`, token,
				vault.lease.Load(), vault.renewable.Load())
		default:
			http.NotFound(out, request)
		}
	}))
	t.Cleanup(vault.Close)
	return vault
}

func (v *fakeVault) config() string {
	return fmt.Sprintf(`{"address":%q,"token":{"value":%q}}`, v.URL, token)
}

// loginConfig is that of an instance that logs in.
func (v *fakeVault) loginConfig() string {
	return fmt.Sprintf(`{"address":%q,"auth":{"method":"approle","role_id":{"value":"role"},"secret_id":{"value":"id"}}}`,
		v.URL)
}

// results is a RenewalRecorder that a test can wait for.
type results chan string

func (r results) RecordRenewal(result string) { r <- result }

func (r results) await(t *testing.T, wanted string) {
	t.Helper()
	select {
	case result := <-r:
		if result != wanted {
			t.Fatalf("recorded %s, not %s", result, wanted)
		}
	case <-time.After(time.Minute): // reached only when something hangs
		t.Fatalf("no %s was recorded", wanted)
	}
}

// A notebook keeps what was logged.
type notebook struct {
	mutex sync.Mutex
	lines strings.Builder
}

func (n *notebook) Log(level int, component, text string) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	fmt.Fprintln(&n.lines, level, component, text)
}

func (n *notebook) text() string {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return n.lines.String()
}

func pluginOf(t *testing.T, variable string) *Plugin {
	path := os.Getenv(variable)
	if path == "" {
		t.Skipf("%s names no plugin", variable)
	}
	plugin, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plugin.Close(); err != nil {
			t.Error(err)
		}
	})
	return plugin
}

func instanceOf(t *testing.T, plugin *Plugin, config string, logger Logger) (*Instance, results) {
	instance, err := New(plugin, config, logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := instance.Close(); err != nil {
			t.Error(err)
		}
	})
	recorded := make(results, 1000)
	if err := instance.SetRenewalRecorder(recorded); err != nil {
		t.Fatal(err)
	}
	return instance, recorded
}

func start(t *testing.T, instance *Instance) {
	t.Helper()
	if err := instance.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestRenewsAndRecordsEachSuccess(t *testing.T) {
	vault := newVault(t, 2)
	instance, recorded := instanceOf(t, pluginOf(t, "ISSUER_PLUGIN"), vault.config(), &notebook{})
	start(t, instance)
	recorded.await(t, "success")
	recorded.await(t, "success")
	if lookUps := vault.lookUps.Load(); lookUps != 1 {
		t.Errorf("%d look-ups, not 1", lookUps)
	}
}

func TestAFailureIsRecordedAndTheNextAttemptSucceeds(t *testing.T) {
	vault := newVault(t, 4)
	vault.status.Store(http.StatusInternalServerError)
	instance, recorded := instanceOf(t, pluginOf(t, "ISSUER_PLUGIN"), vault.config(), &notebook{})
	start(t, instance)
	recorded.await(t, "failure")
	vault.status.Store(http.StatusOK)
	for result := "failure"; result != "success"; result = <-recorded {
	}
}

func TestATokenThatIsNotRenewableIsRecordedOnceAndLeftAlone(t *testing.T) {
	vault := newVault(t, 3600)
	vault.renewable.Store(false)
	instance, recorded := instanceOf(t, pluginOf(t, "ISSUER_PLUGIN"), vault.config(), &notebook{})
	start(t, instance)
	recorded.await(t, "not_renewable")
	if err := instance.Stop(); err != nil {
		t.Fatal(err)
	}
	if renewals, more := vault.renewals.Load(), len(recorded); renewals != 0 || more != 0 {
		t.Errorf("%d renewals and %d more results", renewals, more)
	}
}

func TestStartWithoutAServerFailsAndCanBeTriedAgain(t *testing.T) {
	vault := newVault(t, 3600)
	config := vault.config()
	vault.Close()
	instance, _ := instanceOf(t, pluginOf(t, "ISSUER_PLUGIN"), config, &notebook{})
	for range [2]int{} {
		if err := instance.Start(context.Background()); !isCode(err, ErrUnavailable) {
			t.Fatalf("start answered %v", err)
		}
	}
}

func TestStartAgainHasNoEffectAndStopMayBeRepeated(t *testing.T) {
	vault := newVault(t, 3600)
	instance, _ := instanceOf(t, pluginOf(t, "ISSUER_PLUGIN"), vault.config(), &notebook{})
	start(t, instance)
	start(t, instance)
	for range [2]int{} {
		if err := instance.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	start(t, instance)
	if lookUps := vault.lookUps.Load(); lookUps != 2 {
		t.Errorf("%d look-ups, not 2", lookUps)
	}
}

func TestAContextThatEndsStopsAStartThatWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		<-release
	}))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(release) })
	config := fmt.Sprintf(`{"address":%q,"token":{"value":%q}}`, silent.URL, token)
	instance, _ := instanceOf(t, pluginOf(t, "ISSUER_PLUGIN"), config, &notebook{})
	if err := instance.Start(ctx); err != context.Canceled {
		t.Errorf("start answered %v", err)
	}
}

func TestARecorderThatIsReplacedIsNotCalledAnyMore(t *testing.T) {
	vault := newVault(t, 2)
	instance, before := instanceOf(t, pluginOf(t, "ISSUER_PLUGIN"), vault.config(), &notebook{})
	start(t, instance)
	before.await(t, "success")
	after := make(results, 1000)
	if err := instance.SetRenewalRecorder(after); err != nil {
		t.Fatal(err)
	}
	heard := len(before)
	after.await(t, "success")
	if len(before) != heard {
		t.Error("the recorder before was called")
	}
}

func TestACallFromInsideARecorderIsRefused(t *testing.T) {
	vault := newVault(t, 2)
	instance, _ := instanceOf(t, pluginOf(t, "ISSUER_PLUGIN"), vault.config(), &notebook{})
	answers := make(chan error, 1000)
	err := instance.SetRecorder(RecorderFunc(func(event Event) {
		if event.Renewal { // start has returned by then
			answers <- instance.Stop()
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	start(t, instance)
	if err := <-answers; !isCode(err, ErrReentrant) {
		t.Errorf("stop answered %v", err)
	}
}

func TestNoTokenIsLoggedOrRecorded(t *testing.T) {
	vault := newVault(t, 2)
	told := &notebook{}
	instance, err := New(pluginOf(t, "ISSUER_PLUGIN"), vault.config(), told)
	if err != nil {
		t.Fatal(err)
	}
	renewed := make(chan struct{}, 1000)
	err = instance.SetRecorder(RecorderFunc(func(event Event) {
		told.Log(0, "recorded", fmt.Sprintf("%+v", event))
		if event.Result.String() == "success" {
			renewed <- struct{}{}
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	start(t, instance)
	<-renewed
	if err := instance.Close(); err != nil {
		t.Fatal(err)
	}
	if text := told.text(); !strings.Contains(text, "recorded") || strings.Contains(text, token) {
		t.Errorf("the token, or nothing at all, was told:\n%s", text)
	}
}

func TestTwoHundredSwapsMissNoRenewal(t *testing.T) {
	vault := newVault(t, 4)
	builds := []*Plugin{pluginOf(t, "ISSUER_PLUGIN"), pluginOf(t, "ISSUER_PLUGIN_NEXT")}
	instance, recorded := instanceOf(t, builds[0], vault.config(), &notebook{})
	start(t, instance)
	for swap := 1; swap <= 200; swap++ {
		if err := instance.Swap(builds[swap%2]); err != nil {
			t.Fatalf("swap %d: %v", swap, err)
		}
	}
	recorded.await(t, "success")
	if lookUps := vault.lookUps.Load(); lookUps != 1 {
		t.Errorf("%d look-ups, not 1: the state was not handed over", lookUps)
	}
	for len(recorded) > 0 {
		recorded.await(t, "success")
	}
}

func TestASwapThatFailsLeavesTheOldBuildRunning(t *testing.T) {
	vault := newVault(t, 2)
	good := pluginOf(t, "ISSUER_PLUGIN")
	bad := pluginOf(t, "ISSUER_PLUGIN_THAT_NEVER_STARTS")
	instance, recorded := instanceOf(t, good, vault.config(), &notebook{})
	start(t, instance)
	if err := instance.Swap(bad); !isCode(err, ErrUnavailable) {
		t.Fatalf("swap answered %v", err)
	}
	recorded.await(t, "success")
}

func TestSwapsLendTheTokenOfALogin(t *testing.T) {
	vault := newVault(t, 60)
	builds := []*Plugin{pluginOf(t, "ISSUER_PLUGIN"), pluginOf(t, "ISSUER_PLUGIN_NEXT")}
	instance, _ := instanceOf(t, builds[0], vault.loginConfig(), &notebook{})
	start(t, instance)
	for swap := 1; swap <= 20; swap++ {
		if err := instance.Swap(builds[swap%2]); err != nil {
			t.Fatalf("swap %d: %v", swap, err)
		}
	}
	if logins := vault.logins.Load(); logins != 1 {
		t.Errorf("%d logins, not 1: the token was not lent", logins)
	}
}
