// Renders a chart with what Helm is built on: Go's text/template, sprig and sigs.k8s.io/yaml. It is not Helm: it knows no
// subcharts, no hooks, no `lookup` and no `tpl`, and it does not check values.schema.json. It is stricter in one thing: a value that
// values.yaml does not have is an error.
//
//	chart DIRECTORY NAME NAMESPACE [VALUES…]
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type files map[string][]byte

// Get is `.Files.Get` of Helm: the content of a file, or nothing.
func (f files) Get(path string) string { return string(f[path]) }

// Glob is `.Files.Glob` of Helm.
func (f files) Glob(pattern string) files {
	found := files{}
	for path, content := range f {
		if matches, err := filepath.Match(pattern, path); err == nil && matches {
			found[path] = content
		}
	}
	return found
}

func main() {
	if len(os.Args) < 4 {
		stop(fmt.Errorf("usage: chart DIRECTORY NAME NAMESPACE [VALUES…]"))
	}
	chart, err := readFiles(os.Args[1])
	stop(err)
	metadata, err := readYAML(chart["Chart.yaml"])
	stop(err)
	values, err := readYAML(chart["values.yaml"])
	stop(err)
	for _, path := range os.Args[4:] {
		content, err := os.ReadFile(path)
		stop(err)
		overrides, err := readYAML(content)
		stop(err)
		merge(values, overrides)
	}
	stop(render(chart, map[string]interface{}{
		"Chart": map[string]interface{}{
			"Name": metadata["name"], "Version": metadata["version"], "AppVersion": metadata["appVersion"],
		},
		"Files":  chart,
		"Values": values,
		"Release": map[string]interface{}{
			"Name": os.Args[2], "Namespace": os.Args[3], "Service": "Helm", "IsInstall": true, "IsUpgrade": false,
		},
	}))
}

func stop(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// readFiles follows symbolic links, as Helm does.
func readFiles(root string) (files, error) {
	found := files{}
	var walk func(prefix string) error
	walk = func(prefix string) error {
		entries, err := fs.ReadDir(os.DirFS(filepath.Join(root, prefix)), ".")
		if err != nil {
			return err
		}
		for _, entry := range entries {
			path := filepath.Join(prefix, entry.Name())
			about, err := os.Stat(filepath.Join(root, path))
			if err != nil {
				return err
			}
			if about.IsDir() {
				if err := walk(path); err != nil {
					return err
				}
				continue
			}
			if found[path], err = os.ReadFile(filepath.Join(root, path)); err != nil {
				return err
			}
		}
		return nil
	}
	return found, walk("")
}

func readYAML(content []byte) (map[string]interface{}, error) {
	parsed := map[string]interface{}{}
	return parsed, yaml.UnmarshalStrict(content, &parsed)
}

func merge(into, from map[string]interface{}) {
	for key, value := range from {
		below, isMap := value.(map[string]interface{})
		present, wasMap := into[key].(map[string]interface{})
		switch {
		case value == nil:
			delete(into, key)
		case isMap && wasMap:
			merge(present, below)
		default:
			into[key] = value
		}
	}
}

func render(chart files, context map[string]interface{}) error {
	templates := template.New("").Option("missingkey=error")
	functions := sprig.TxtFuncMap()
	functions["include"] = func(name string, data interface{}) (string, error) {
		var text strings.Builder
		err := templates.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	functions["toYaml"] = func(value interface{}) (string, error) {
		text, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n"), err
	}
	templates.Funcs(functions)
	paths := []string{}
	for path, content := range chart {
		if !strings.HasPrefix(path, "templates/") {
			continue
		}
		if _, err := templates.New(path).Parse(string(content)); err != nil {
			return err
		}
		if !strings.HasPrefix(filepath.Base(path), "_") {
			paths = append(paths, path)
		}
	}
	for _, path := range paths {
		var text strings.Builder
		if err := templates.ExecuteTemplate(&text, path, context); err != nil {
			return err
		}
		if path == "templates/NOTES.txt" {
			fmt.Fprint(os.Stderr, text.String())
		} else if strings.TrimSpace(text.String()) != "" {
			fmt.Printf("---\n# %s\n%s\n", path, text.String())
		}
	}
	return nil
}
