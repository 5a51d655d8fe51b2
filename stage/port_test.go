package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMistakesInPortsAndDisks(t *testing.T) {
	t.Parallel()
	const own = "services.web"
	requireMistakes(t, map[string]mistake{
		"a port without a number": {oneService("      ports: [{protocol: udp}]"), own + ".ports[0].port",
			[]string{"is missing; write the port that the container listens on, as in 9090"}},
		"a port that there is not": {oneService("      ports: [{port: 65536}]"), own + ".ports[0].port",
			[]string{"is 65536; allowed: 1 to 65535"}},
		"a port that is a number alone": {oneService("      ports: [9090]"), own + ".ports[0]",
			[]string{"is the number 9090; it must be an object"}},
		"another protocol": {oneService("      ports: [{port: 9090, protocol: http}]"), own + ".ports[0].protocol",
			[]string{`is "http"; allowed: tcp, udp`}},
		"the service's port": {oneService("      port: 8080\n      ports: [{port: 8080}]"), own + ".ports[0].port",
			[]string{"is 8080/tcp, which is that of services.web.port already; the containers of a task share its network"}},
		"a port of two containers": {
			beside("{proxy: {image: web, ports: [{port: 9090}]}}", "ports: [{port: 9090, protocol: tcp}]"),
			own + ".ports[0].port", []string{"is 9090/tcp, which is that of services.web.containers.proxy.ports[0].port already"}},
		"an address alone": {oneService("      ports: [{port: 9090, allowFrom: [10.0.0.1]}]"),
			own + ".ports[0].allowFrom[0]", []string{"write a range of addresses"}},
		"a disk as large as any": {oneService("      ephemeralStorage: 20"), own + ".ephemeralStorage",
			[]string{"is 20; allowed: 21 to 200, or remove it"}},
		"a disk that is too large": {oneService("      ephemeralStorage: 201"), own + ".ephemeralStorage",
			[]string{"is 201; allowed: 21 to 200"}},
		"a disk in words": {oneService("      ephemeralStorage: 50GiB"), own + ".ephemeralStorage",
			[]string{"it must be a whole number of GiB"}},
		"processes of the machine": {oneService("      pidMode: host"), own + ".pidMode", []string{`is "host"; allowed: task`}},
		"processes by a boolean":   {oneService("      pidMode: true"), own + ".pidMode", []string{"it must be text"}},
		"as much kept as there may be": {beside("{proxy: {image: web, memory: 64, memoryReservation: 64}}"),
			own + ".containers.proxy.memoryReservation", []string{"is 64, and the container may use 64; write less"}},
		"as much kept as the task has": {beside("{proxy: {image: web, memoryReservation: 512}}"),
			own + ".containers.proxy.memoryReservation", []string{"is 512, and the task has 512 MiB, of which the main"}},
		"memory kept for the main container": {oneService("      memoryReservation: 64"), own + ".memoryReservation",
			[]string{`did you mean "memory"?`}},
	})
}

func TestPortsOfATask(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", "", beside("{agent: {image: web, ports: [{port: 8125}], memoryReservation: 64}}",
		"port: 8080", "ephemeralStorage: 200", "pidMode: task",
		"ports: [{port: 9090, allowFrom: [10.0.0.0/8]}, {port: 8080, protocol: udp}, {port: 8125, protocol: udp}]"))
	require.NoError(t, err)
	web := got.Services["web"]
	require.Equal(t, []Port{{Port: 8080, Protocol: "udp"}, {Port: 8125, Protocol: "udp"},
		{Port: 9090, Protocol: "tcp", AllowFrom: []string{"10.0.0.0/8"}}}, web.SortedPorts())
	require.Equal(t, []Port{{Port: 8125, Protocol: "tcp"}}, web.Containers["agent"].SortedPorts())
}
