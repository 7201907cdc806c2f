// Copyright: (c) 2026, Hubfleet contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const provisioner = "hubfleet.example/directory"

// directories makes volumes that are directories of this machine, below one of them.
type directories string

func (root directories) Provision(_ context.Context, wanted controller.ProvisionOptions) (*core.PersistentVolume, controller.ProvisioningState, error) {
	path := filepath.Join(string(root), wanted.PVName)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	// whatever the umask is
	if err := os.Chmod(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	volume := &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: wanted.PVName},
		Spec: core.PersistentVolumeSpec{
			AccessModes:                   wanted.PVC.Spec.AccessModes,
			Capacity:                      wanted.PVC.Spec.Resources.Requests,
			PersistentVolumeReclaimPolicy: *wanted.StorageClass.ReclaimPolicy,
			PersistentVolumeSource:        core.PersistentVolumeSource{HostPath: &core.HostPathVolumeSource{Path: path}},
		},
	}
	return volume, controller.ProvisioningFinished, nil
}

func (root directories) Delete(_ context.Context, volume *core.PersistentVolume) error {
	return os.RemoveAll(filepath.Join(string(root), volume.Name))
}

func provideVolumes() error {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the cluster")
	root := flag.String("directory", "", "where volumes are")
	flag.Parse()
	client, err := clientOf(*kubeconfig)
	if err != nil {
		return err
	}
	ctx := context.Background()
	controller.NewProvisionController(ctx, client, provisioner, directories(*root), controller.LeaderElection(false)).Run(ctx)
	return nil
}

// clientOf returns a client of the cluster of a kubeconfig file.
func clientOf(kubeconfig string) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}
