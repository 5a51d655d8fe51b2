package alb

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Authority signs the certificates of HTTPS listeners. Who trusts it trusts names of this machine alone.
type Authority struct {
	Certificate, Key string // PEM
}

const (
	authorityTime   = 10 * 365 * 24 * time.Hour
	certificateTime = 30 * 24 * time.Hour
)

// NewAuthority makes one.
func NewAuthority() (Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Authority{}, err
	}
	template, err := certificate("slipway sandbox", authorityTime)
	if err != nil {
		return Authority{}, err
	}
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	template.PermittedDNSDomainsCritical, template.PermittedDNSDomains = true, []string{"localhost"}
	for _, own := range []string{"127.0.0.0/8", "::1/128"} {
		_, addresses, err := net.ParseCIDR(own)
		if err != nil {
			return Authority{}, err
		}
		template.PermittedIPRanges = append(template.PermittedIPRanges, addresses)
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return Authority{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Authority{}, err
	}
	encoded := func(kind string, content []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
	}
	return Authority{Certificate: encoded("CERTIFICATE", signed), Key: encoded("PRIVATE KEY", private)}, nil
}

func certificate(name string, valid time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(valid)}, nil
}

// certificateFor has the certificate for the name that a client asks for: of any host, as listeners have rules for
// patterns of hosts.
func (b *Balancer) certificateFor(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	b.mu.Lock()
	authority := b.listener.Authority
	b.mu.Unlock()
	return authority.sign(hello.ServerName)
}

func (a Authority) sign(name string) (*tls.Certificate, error) {
	if a.Key == "" {
		return nil, errors.New("the listener has no settings yet")
	}
	parent, err := tls.X509KeyPair([]byte(a.Certificate), []byte(a.Key))
	if err != nil {
		return nil, fmt.Errorf("the certificate authority: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := certificate(name, certificateTime)
	if err != nil {
		return nil, err
	}
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if name == "" { // an address was asked
		template.DNSNames = []string{"localhost"}
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	} else {
		template.DNSNames = []string{name}
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, parent.Leaf, key.Public(), parent.PrivateKey)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{signed, parent.Certificate[0]}, PrivateKey: key}, nil
}
