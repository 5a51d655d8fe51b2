package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
)

func psCommand(dir *string) *cobra.Command {
	command := &cobra.Command{
		Use:   "ps",
		Short: "List the services of every cluster, what they run and where that answers, load balancers, and tasks that ran once",
		Args:  cobra.NoArgs,
	}
	asJSON := command.Flags().Bool("json", false, `print {"services": [{account, cluster, service, family, revision, desired, running, image, environment,
tasks}], "listeners": [{account, loadBalancer, protocol, port, address, hosts}], "tasks": […]}, the latter those
that no service stands behind: each {account, task, cluster, family, revision, startedBy, lastStatus, health,
address, stoppedReason, createdAt, stoppedAt, containers: [{name, lastStatus, exitCode, health, ports}]}`)
	command.RunE = func(command *cobra.Command, _ []string) error {
		return withAccount(*dir, func(a *account.Account) error {
			all, err := a.All()
			if err != nil {
				return err
			}
			services, listeners, tasks := []shownService{}, []shownListener{}, []shownTask{}
			serviceTable := table{{"CLUSTER", "SERVICE", "REVISION", "DESIRED", "RUNNING", "IMAGE", "ADDRESS"}}
			listenerTable := table{{"LOAD BALANCER", "LISTENER", "ADDRESS"}}
			taskTable := table{{"CLUSTER", "TASK", "REVISION", "STARTED BY", "STATUS", "EXIT CODES", "STARTED", "REASON"}}
			for _, one := range all {
				shown, once, err := shownServices(one)
				if err != nil {
					return err
				}
				own, err := shownListeners(one)
				if err != nil {
					return err
				}
				listeners = append(listeners, own...)
				services, tasks = append(services, shown...), append(tasks, once...)
				serviceTable = serviceTable.with(one.ID, len(all), serviceRows(shown))
				listenerTable = listenerTable.with(one.ID, len(all), listenerRows(own))
				taskTable = taskTable.with(one.ID, len(all), taskRows(once))
			}
			if *asJSON {
				return printJSON(command.OutOrStdout(), map[string]any{"services": services, "listeners": listeners,
					"tasks": tasks})
			}
			out := command.OutOrStdout()
			if err := printTable(out, serviceTable); err != nil {
				return err
			}
			for _, more := range []table{listenerTable, taskTable} {
				if len(more) == 1 {
					continue
				}
				fmt.Fprintln(out)
				if err := printTable(out, more); err != nil {
					return err
				}
			}
			if file := authorityFile(*dir, listeners); file != "" {
				fmt.Fprintf(out, "\nHTTPS is signed by %s: curl --cacert %[1]s, or trust it in a browser\n", file)
			}
			return nil
		})
	}
	return command
}

// shownService and shownTask are as `sandbox ps --json` prints them.
type shownService struct {
	Account string `json:"account"`
	ecs.ServiceView
	Tasks []shownTask `json:"tasks"`
}

type shownTask struct {
	Account       string           `json:"account"`
	Task          string           `json:"task"` // its id
	Cluster       string           `json:"cluster"`
	Family        string           `json:"family"`
	Revision      int              `json:"revision"`
	StartedBy     string           `json:"startedBy"`
	LastStatus    string           `json:"lastStatus"`
	Health        string           `json:"health"`
	Address       string           `json:"address"` // "" where it does not answer on this machine
	StoppedReason string           `json:"stoppedReason"`
	CreatedAt     time.Time        `json:"createdAt"`
	StoppedAt     *time.Time       `json:"stoppedAt"`
	Containers    []shownContainer `json:"containers"`
}

type shownContainer struct {
	Name       string     `json:"name"`
	LastStatus string     `json:"lastStatus"`
	ExitCode   *int       `json:"exitCode"`
	Health     string     `json:"health"`
	Ports      []ecs.Port `json:"ports"`
}

// shownServices are an account's services with their tasks that have not stopped; once are its tasks that have no
// service.
func shownServices(a *account.Account) (shown []shownService, once []shownTask, err error) {
	services, err := ecs.ServiceViews(a)
	if err != nil {
		return nil, nil, err
	}
	tasks, err := ecs.Tasks(a, "")
	if err != nil {
		return nil, nil, err
	}
	once = []shownTask{}
	own := map[string][]shownTask{} // by cluster and group
	for _, task := range tasks {
		if task.Run == nil && task.LastStatus == "STOPPED" {
			continue
		}
		d, err := ecs.FindTaskDefinition(a, task.TaskDefinition)
		if err != nil {
			return nil, nil, err
		}
		if one := showTask(task, d); task.Run != nil {
			once = append(once, one)
		} else {
			of := one.Cluster + " " + task.Group
			own[of] = append(own[of], one)
		}
	}
	shown = []shownService{}
	for _, s := range services {
		shown = append(shown, shownService{a.ID, s, append([]shownTask{}, own[s.Cluster+" service:"+s.Service]...)})
	}
	return shown, once, nil
}

func lastPart(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

func showTask(task *ecs.Task, d *ecs.TaskDefinition) shownTask {
	shown := shownTask{Account: account.Owner(task.ARN), Task: task.ID(), Cluster: lastPart(task.ClusterARN()),
		Family: d.Family, Revision: d.Revision,
		StartedBy:  task.StartedBy,
		LastStatus: task.LastStatus, Health: task.Health, StoppedReason: task.StoppedReason, CreatedAt: task.CreatedAt,
		StoppedAt:  task.StoppedAt,
		Containers: []shownContainer{}}
	for _, c := range task.ContainerStates(d) {
		ports := append([]ecs.Port{}, c.Ports...)
		shown.Containers = append(shown.Containers, shownContainer{c.Name, c.LastStatus, c.ExitCode, c.Health, ports})
		if shown.Address == "" && c.LastStatus == "RUNNING" && len(ports) > 0 {
			shown.Address = address(ports[0])
		}
	}
	return shown
}

func address(port ecs.Port) string {
	host := port.HostIP
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return fmt.Sprintf("http://%s:%d", host, port.HostPort)
}

func serviceRows(services []shownService) (rows [][]string) {
	for _, s := range services {
		var addresses []string
		for _, task := range s.Tasks {
			if task.Address != "" {
				addresses = append(addresses, task.Address)
			}
		}
		rows = append(rows, []string{s.Cluster, s.Service, fmt.Sprintf("%s:%d", s.Family, s.Revision), fmt.Sprint(s.Desired),
			fmt.Sprint(s.Running), s.Image, strings.Join(addresses, " ")})
	}
	return rows
}

func taskRows(tasks []shownTask) (rows [][]string) {
	for _, task := range tasks {
		var codes []string
		for _, c := range task.Containers {
			if c.ExitCode != nil {
				codes = append(codes, fmt.Sprintf("%s=%d", c.Name, *c.ExitCode))
			}
		}
		rows = append(rows, []string{task.Cluster, task.Task, fmt.Sprintf("%s:%d", task.Family, task.Revision),
			task.StartedBy, task.LastStatus,
			strings.Join(codes, " "), task.CreatedAt.Local().Format(time.TimeOnly), task.StoppedReason})
	}
	return rows
}
