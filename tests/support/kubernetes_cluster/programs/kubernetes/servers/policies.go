// Copyright: (c) 2026, Hubfleet contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"errors"
	"os"
	"sync"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"github.com/spf13/pflag"
	"k8s.io/client-go/informers"
)

// enforceNetworkPolicies runs that part of kube-router alone.
func enforceNetworkPolicies() error {
	config := options.NewKubeRouterConfig()
	flags := pflag.NewFlagSet(os.Args[0], pflag.ExitOnError)
	config.AddFlags(flags)
	if err := flags.Parse(os.Args[1:]); err != nil {
		return err
	}
	client, err := clientOf(config.Kubeconfig)
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	factory.Start(stop)
	factory.WaitForCacheSync(stop)
	tables, sets, err := netpol.NewIPTablesHandlers(config)
	if err != nil {
		return err
	}
	controller, err := netpol.NewNetworkPolicyController(client, config, pods, policies, namespaces, &sync.Mutex{}, tables, sets)
	if err != nil {
		return err
	}
	_, podError := pods.AddEventHandler(controller.PodEventHandler)
	_, namespaceError := namespaces.AddEventHandler(controller.NamespaceEventHandler)
	_, policyError := policies.AddEventHandler(controller.NetworkPolicyEventHandler)
	if err := errors.Join(podError, namespaceError, policyError); err != nil {
		return err
	}
	health := make(chan *healthcheck.ControllerHeartbeat, 10)
	go func() {
		for range health {
		}
	}()
	var running sync.WaitGroup
	running.Add(1)
	controller.Run(health, stop, &running)
	return nil
}
