package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/template"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

type checked struct {
	Alerts  []string `json:"alerts"`
	Metrics []string `json:"metrics"`
}

// checkRules answers with the names of the alerts and of the metrics that their expressions read.
func checkRules(file string) (any, error) {
	groups, err := loadRules(file)
	if err != nil {
		return nil, err
	}
	var result checked
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			result.Alerts = append(result.Alerts, rule.Alert)
			expression, err := parser.ParseExpr(rule.Expr)
			if err != nil {
				return nil, err
			}
			parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
				if selector, ok := node.(*parser.VectorSelector); ok {
					result.Metrics = append(result.Metrics, selector.Name)
				}
				return nil
			})
		}
	}
	slices.Sort(result.Metrics)
	result.Metrics = slices.Compact(result.Metrics)
	return result, nil
}

func loadRules(file string) (*rulefmt.RuleGroups, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	groups, problems := rulefmt.Parse(content, false, model.UTF8Validation)
	return groups, errors.Join(problems...)
}

type scenario struct {
	// Rules is the path of the rule file.
	Rules string `json:"rules"`
	// Series, one sample a minute, in promtool's notation: a name with labels, and values such as "0 1 _ 5+1x10".
	Series []string `json:"series"`
	// Minutes after which to look.
	Minutes int `json:"minutes"`
}

type firing struct {
	Alert   string `json:"alert"`
	Summary string `json:"summary"`
}

// evaluateAlerts answers with the alerts that fire at the end of a scenario, evaluated once a minute from minute 0.
// Minute 0 is two days after the epoch, so that `offset` has something to look back to.
func evaluateAlerts(file string) (any, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var given scenario
	if err := json.Unmarshal(content, &given); err != nil {
		return nil, err
	}
	groups, err := loadRules(given.Rules)
	if err != nil {
		return nil, err
	}
	start := time.Unix(2*24*3600, 0)
	series, err := parseSeries(given.Series, start)
	if err != nil {
		return nil, err
	}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: 10 * time.Second, EnableAtModifier: true})
	result := []firing{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			fired, err := evaluate(engine, series, rule, start, given.Minutes)
			if err != nil {
				return nil, err
			}
			result = append(result, fired...)
		}
	}
	return result, nil
}

func evaluate(engine *promql.Engine, series memory, rule rulefmt.Rule, start time.Time, minutes int) ([]firing, error) {
	ctx := context.Background()
	activeSince := map[uint64]int{}
	var fired []firing
	for minute := 0; minute <= minutes; minute++ {
		now := start.Add(time.Duration(minute) * time.Minute)
		query, err := engine.NewInstantQuery(ctx, series, nil, rule.Expr, now)
		if err != nil {
			return nil, err
		}
		vector, err := query.Exec(ctx).Vector()
		if err != nil {
			return nil, err
		}
		stillActive := map[uint64]int{}
		for _, sample := range vector {
			identity := sample.Metric.DropMetricName().Hash()
			since, known := activeSince[identity]
			if !known {
				since = minute
			}
			stillActive[identity] = since
			held := time.Duration(minute-since) * time.Minute
			if minute == minutes && held >= time.Duration(rule.For) {
				summary, err := expand(ctx, rule.Annotations["summary"], sample, now)
				if err != nil {
					return nil, err
				}
				fired = append(fired, firing{Alert: rule.Alert, Summary: summary})
			}
		}
		activeSince = stillActive
	}
	return fired, nil
}

func expand(ctx context.Context, text string, sample promql.Sample, now time.Time) (string, error) {
	data := template.AlertTemplateData(sample.Metric.Map(), nil, "", sample)
	definitions := `{{$labels := .Labels}}{{$value := .Value}}`
	return template.NewTemplateExpander(ctx, definitions+text, "alert", data, model.Time(now.UnixMilli()), nil, &url.URL{}, nil).Expand()
}

func parseSeries(descriptions []string, start time.Time) (memory, error) {
	var result memory
	for _, description := range descriptions {
		name, values, err := parser.ParseSeriesDesc(description)
		if err != nil {
			return nil, err
		}
		var samples []chunks.Sample
		for minute, value := range values {
			if !value.Omitted {
				at := start.Add(time.Duration(minute) * time.Minute)
				samples = append(samples, point{at: at.UnixMilli(), value: value.Value})
			}
		}
		result = append(result, storage.NewListSeries(name, samples))
	}
	return result, nil
}

// memory is the few series of a scenario, as the engine wants to read them.
type memory []storage.Series

func (m memory) Querier(int64, int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: m.choose}, nil
}

func (m memory) choose(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	chosen := &seriesSet{at: -1}
	for _, series := range m {
		matches := func(matcher *labels.Matcher) bool { return matcher.Matches(series.Labels().Get(matcher.Name)) }
		if !slices.ContainsFunc(matchers, func(matcher *labels.Matcher) bool { return !matches(matcher) }) {
			chosen.series = append(chosen.series, series)
		}
	}
	return chosen
}

type seriesSet struct {
	series []storage.Series
	at     int
}

func (s *seriesSet) Next() bool                      { s.at++; return s.at < len(s.series) }
func (s *seriesSet) At() storage.Series              { return s.series[s.at] }
func (*seriesSet) Err() error                        { return nil }
func (*seriesSet) Warnings() annotations.Annotations { return nil }

type point struct {
	at    int64
	value float64
}

func (p point) T() int64                    { return p.at }
func (p point) F() float64                  { return p.value }
func (point) H() *histogram.Histogram       { return nil }
func (point) FH() *histogram.FloatHistogram { return nil }
func (point) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (p point) Copy() chunks.Sample         { return p }
