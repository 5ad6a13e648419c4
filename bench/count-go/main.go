// Command count-go reads Goldmane's history through Flows.Stream and only counts edges, which is the minimum cost of a
// reader. It prints one line of JSON.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// History has no end marker: after this long without a record it counts as finished.
const quiet = 1500 * time.Millisecond

// rawCodec passes messages through as bytes.
type rawCodec struct{}

func (rawCodec) Name() string { return "raw" }

func (rawCodec) Marshal(value any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*value.(*[]byte))}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, value any) error {
	*value.(*[]byte) = data.Materialize()
	return nil
}

var _ encoding.CodecV2 = rawCodec{}

type edge struct {
	source, destination string
	action              uint64
}

type result struct {
	Records int     `json:"records"`
	Edges   int     `json:"edges"`
	Seconds float64 `json:"seconds"`
	CPUMs   float64 `json:"cpuMs"`
	PeakMiB float64 `json:"peakMiB"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	from, err := strconv.ParseInt(os.Getenv("FROM_SECONDS"), 10, 64)
	if err != nil {
		return err
	}
	certificates, err := readCertificates()
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(os.Getenv("GOLDMANE_HOST"),
		grpc.WithTransportCredentials(credentials.NewTLS(certificates)),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{})))
	if err != nil {
		return err
	}
	defer connection.Close()
	// The first reading is not measured, as with the other readers.
	if _, err := readHistory(connection, from); err != nil {
		return err
	}
	counted, err := readHistory(connection, from)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(counted)
}

func readHistory(connection *grpc.ClientConn, from int64) (result, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := connection.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/goldmane.Flows/Stream")
	if err != nil {
		return result{}, err
	}
	request := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(from))
	if err := stream.SendMsg(&request); err != nil {
		return result{}, err
	}
	if err := stream.CloseSend(); err != nil {
		return result{}, err
	}
	var counted result
	edges := map[edge]int{}
	var started, last time.Time
	var startedCPU time.Duration
	silence := time.AfterFunc(time.Minute, cancel)
	for {
		var message []byte
		if err := stream.RecvMsg(&message); err != nil {
			if ctx.Err() != nil && counted.Records > 0 {
				break
			}
			return result{}, err
		}
		silence.Reset(quiet)
		last = time.Now()
		if counted.Records == 0 {
			started, startedCPU = last, cpu()
		}
		counted.Records++
		found, err := edgeOf(message)
		if err != nil {
			return result{}, err
		}
		edges[found]++
	}
	counted.Edges = len(edges)
	counted.Seconds = last.Sub(started).Seconds()
	counted.CPUMs = float64((cpu() - startedCPU).Microseconds()) / 1000
	counted.PeakMiB = float64(usage().Maxrss) / 1024
	return counted, nil
}

// edgeOf decodes the key of an edge: FlowResult.flow.Key.source_namespace, dest_namespace and action.
func edgeOf(message []byte) (edge, error) {
	var found edge
	flow, err := field(message, 2)
	if err != nil {
		return found, err
	}
	key, err := field(flow, 1)
	if err != nil {
		return found, err
	}
	for len(key) > 0 {
		number, kind, length := protowire.ConsumeTag(key)
		if length < 0 {
			return found, protowire.ParseError(length)
		}
		key = key[length:]
		switch {
		case number == 2 && kind == protowire.BytesType, number == 5 && kind == protowire.BytesType:
			var text string
			text, length = protowire.ConsumeString(key)
			if number == 2 {
				found.source = text
			} else {
				found.destination = text
			}
		case number == 14 && kind == protowire.VarintType:
			found.action, length = protowire.ConsumeVarint(key)
		default:
			length = protowire.ConsumeFieldValue(number, kind, key)
		}
		if length < 0 {
			return found, protowire.ParseError(length)
		}
		key = key[length:]
	}
	return found, nil
}

// field returns the content of an embedded message, empty if it is absent.
func field(message []byte, wanted protowire.Number) ([]byte, error) {
	for len(message) > 0 {
		number, kind, length := protowire.ConsumeTag(message)
		if length < 0 {
			return nil, protowire.ParseError(length)
		}
		message = message[length:]
		if number == wanted && kind == protowire.BytesType {
			content, length := protowire.ConsumeBytes(message)
			return content, protowire.ParseError(min(length, 0))
		}
		if length = protowire.ConsumeFieldValue(number, kind, message); length < 0 {
			return nil, protowire.ParseError(length)
		}
		message = message[length:]
	}
	return nil, nil
}

func readCertificates() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(os.Getenv("TLS_CERT_PATH"), os.Getenv("TLS_KEY_PATH"))
	if err != nil {
		return nil, err
	}
	bundle, err := os.ReadFile(os.Getenv("CA_CERT_PATH"))
	if err != nil {
		return nil, err
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(bundle)
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		RootCAs:      authorities,
		ServerName:   os.Getenv("GOLDMANE_SERVER_NAME"),
	}, nil
}

func usage() syscall.Rusage {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return used
}

func cpu() time.Duration {
	used := usage()
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
