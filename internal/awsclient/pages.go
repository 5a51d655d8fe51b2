package awsclient

import "context"

// All are the elements of all pages of a list.
func All[Page, Option, Element any](ctx context.Context, pages interface {
	HasMorePages() bool
	NextPage(ctx context.Context, options ...Option) (*Page, error)
}, elements func(*Page) []Element) (all []Element, err error) {
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, elements(page)...)
	}
	return all, nil
}
