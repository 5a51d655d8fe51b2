package awslimits

import (
	"slices"
	"strings"
)

// AddedCapability is the only one that Fargate adds to a container's
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KernelCapabilities.html).
const AddedCapability = "SYS_PTRACE"

// Capabilities are those that ECS knows
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KernelCapabilities.html).
var Capabilities = strings.Fields("ALL AUDIT_CONTROL AUDIT_WRITE BLOCK_SUSPEND CHOWN DAC_OVERRIDE DAC_READ_SEARCH " +
	"FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN " +
	"NET_BIND_SERVICE NET_BROADCAST NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE " +
	"SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG SYSLOG WAKE_ALARM")

// Kernel parameters that ECS sets for a container: of its network, which the containers of a task share, and of its
// processes' communication (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SystemControl.html).
const (
	NetworkControl        = "net."
	queueControl          = "fs.mqueue."
	SystemControlsInWords = "those that begin with net. or fs.mqueue., and kernel.msgmax, kernel.msgmnb, kernel.msgmni, " +
		"kernel.sem, kernel.shmall, kernel.shmmax, kernel.shmmni and kernel.shm_rmid_forced"
)

var kernelControls = strings.Fields("kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax " +
	"kernel.shmmni kernel.shm_rmid_forced")

// SystemControl tells whether ECS sets a kernel parameter.
func SystemControl(name string) bool {
	return slices.Contains(kernelControls, name) || strings.HasPrefix(name, NetworkControl) && name != NetworkControl ||
		strings.HasPrefix(name, queueControl) && name != queueControl
}
