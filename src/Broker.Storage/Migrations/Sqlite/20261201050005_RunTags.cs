using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class RunTags : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "ix_run_tagged",
                table: "run",
                columns: new[] { "workflow", "created_at", "id" },
                filter: "tags IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_run_tagged_id",
                table: "run",
                column: "id",
                filter: "tags IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_run_tagged",
                table: "run");

            migrationBuilder.DropIndex(
                name: "ix_run_tagged_id",
                table: "run");
        }
    }
}
