package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestWhatIsSaidArrivesBothWays(t *testing.T) {
	there, here := listen(t), listen(t)
	go func() {
		conn, err := there.Accept()
		if err != nil {
			return
		}
		_, _ = io.Copy(conn, io.LimitReader(conn, 5))
		_ = conn.Close()
	}()
	go Serve(t.Context(), here, func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", there.Addr().String())
	})
	conn, err := net.Dial("tcp", here.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "hello"); err != nil {
		t.Fatal(err)
	}
	if said, err := io.ReadAll(conn); err != nil || string(said) != "hello" {
		t.Errorf("%q, %v", said, err)
	}
}

func TestAConnectionEndsWhereNobodyAnswers(t *testing.T) {
	here := listen(t)
	go Serve(t.Context(), here, func(context.Context) (net.Conn, error) { return nil, errors.New("nobody") })
	conn, err := net.Dial("tcp", here.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if said, err := io.ReadAll(conn); len(said) > 0 {
		t.Errorf("%q, %v", said, err)
	}
}
